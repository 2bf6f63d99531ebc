// Settings: letting devices join, people, tokens, webhooks, trust, the cluster. Each part is an address of its own, and says who may see it.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { FleetState } from "../live/state.ts";
import type { FleetStore } from "../live/store.ts";
import "../settings/account-part.ts";
import "../settings/cluster-part.ts";
import "../settings/devices-part.ts";
import "../settings/people-part.ts";
import "../settings/tokens-part.ts";
import "../settings/trust-part.ts";
import "../settings/webhooks-part.ts";
import { PageElement } from "./page-element.ts";

interface Part {
  name: string;
  title: string;
  adminsOnly: boolean;
  /** Only where people have accounts. */
  accountsOnly?: boolean;
  show: (store: FleetStore) => TemplateResult;
}

const PARTS: readonly Part[] = [
  {
    name: "account",
    title: "Your account",
    adminsOnly: false,
    accountsOnly: true,
    show: (store) => html`<account-part .store=${store}></account-part>`,
  },
  {
    name: "devices",
    title: "Joining",
    adminsOnly: true,
    show: (store) => html`<devices-part .store=${store}></devices-part>`,
  },
  {
    name: "people",
    title: "People",
    adminsOnly: true,
    accountsOnly: true,
    show: (store) => html`<people-part .store=${store}></people-part>`,
  },
  {
    name: "tokens",
    title: "Tokens",
    adminsOnly: true,
    show: (store) => html`<tokens-part .store=${store}></tokens-part>`,
  },
  {
    name: "webhooks",
    title: "Webhooks",
    adminsOnly: true,
    show: (store) => html`<webhooks-part .store=${store}></webhooks-part>`,
  },
  {
    name: "trust",
    title: "Trust",
    adminsOnly: false,
    show: (store) => html`<trust-part .store=${store}></trust-part>`,
  },
  {
    name: "cluster",
    title: "Cluster",
    adminsOnly: false,
    show: () => html`<cluster-part></cluster-part>`,
  },
];

@customElement("settings-page")
export class SettingsPage extends PageElement {
  /** Empty: the first part that is for whoever looks. */
  @property() shown = "";

  protected override page({ session }: FleetState): TemplateResult {
    const shown = this.shown || firstFor(session);
    const part = PARTS.find(({ name }) => name === shown);
    return html`
      <h1>Settings</h1>
      <nav class="tabs" aria-label="Settings">
        ${PARTS.map(
          ({ name, title }) =>
            html`<a href="/settings/${name}" aria-current=${name === shown ? "page" : nothing}>${title}</a>`,
        )}
      </nav>
      ${part ? this.renderPart(part, session) : html`<p>There is no such part. <a href="/settings">Go to the settings</a>.</p>`}
    `;
  }

  private renderPart({ adminsOnly, accountsOnly, title, show }: Part, session: FleetState["session"]): TemplateResult {
    if (adminsOnly && session?.role !== "admin")
      return html`<p class="card quiet-card">
        ${title} is for admins. You are signed in as ${session?.role ?? "nobody"}.
      </p>`;
    if (accountsOnly && session?.auth !== "accounts")
      return html`<p class="card quiet-card">
        This hub has no accounts: it was started with HUB_AUTH=${session?.auth ?? "none"}. With HUB_AUTH=accounts
        everybody signs in by name, with a role.
      </p>`;
    return show(this.store);
  }
}

function firstFor(session: FleetState["session"]): string {
  if (session?.role === "admin") return "devices";
  return session?.auth === "accounts" ? "account" : "trust";
}

declare global {
  interface HTMLElementTagNameMap {
    "settings-page": SettingsPage;
  }
}
