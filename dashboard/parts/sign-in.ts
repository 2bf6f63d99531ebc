// Signing in: with name and password, with the organisation's account, or with the hub's one token. A refusal says what to do about it.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { FleetStore } from "../live/store.ts";
import { failureInWords } from "./failure.ts";
import { LightElement } from "./light-element.ts";

/** What the hub puts behind the # when it sends a person back from the organisation's sign-in. */
const SENT_BACK: Record<string, string> = {
  SIGN_IN_REFUSED: "The organisation's sign-in was not accepted here. Begin again, or ask an admin for a role.",
  SIGN_IN_UNAVAILABLE: "The organisation's sign-in does not answer. Try again soon.",
  TOO_MANY_ATTEMPTS: "There were too many attempts that failed. Wait a quarter of an hour.",
  CONFLICT: "Your account could not be made or changed here. Ask an admin.",
};

@customElement("sign-in")
export class SignIn extends LightElement {
  @property({ attribute: false }) store!: FleetStore;
  @state() private isBusy = false;
  @state() private failure: Error | null = null;
  @state() private sentBack = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.sentBack = SENT_BACK[globalThis.location.hash.slice(1)] ?? "";
  }

  override render() {
    const { session } = this.store.state;
    return html`<form class="sign-in card" @submit=${this.submit}>
      <h1>Sign in</h1>
      ${
        session?.setup_needed
          ? html`<p>
              Nobody has an account yet. The hub printed a link when it started: open it to make the first one. It is
              too old, or lost? <code>npm run hub -- user link</code> on the hub's machine prints another.
            </p>`
          : nothing
      }
      ${session?.auth === "accounts" ? nameAndPassword() : hubToken()}
      ${this.sentBack ? html`<p class="callout bad" role="alert">${this.sentBack}</p>` : nothing}
      ${this.failure ? failureInWords(this.failure) : nothing}
      <button class="primary" type="submit" ?disabled=${this.isBusy}>
        ${this.isBusy ? "Signing in …" : "Sign in"}
      </button>
      ${
        session?.oidc
          ? html`<a class="button" href="/api/v1/session/oidc" rel="external" @click=${leaveThePage}
              >Sign in with your organisation</a
            >`
          : nothing
      }
    </form>`;
  }

  private readonly submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (this.isBusy || !(event.target instanceof HTMLFormElement)) return;
    const form = new FormData(event.target);
    const field = (name: string) => {
      const value = form.get(name);
      return typeof value === "string" ? value : "";
    };
    this.isBusy = true;
    this.failure = null;
    this.sentBack = "";
    try {
      const isAccounts = this.store.state.session?.auth === "accounts";
      await this.store.signIn(
        isAccounts ? { name: field("name"), password: field("password") } : { token: field("token") },
      );
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.isBusy = false;
    }
  };
}

function nameAndPassword(): TemplateResult {
  return html`<label class="field"
      ><span>Name</span><input name="name" autocomplete="username" autocapitalize="none" required /></label
    ><label class="field"
      ><span>Password</span><input name="password" type="password" autocomplete="current-password" required
    /></label>`;
}

function hubToken(): TemplateResult {
  return html`<label class="field"
    ><span>The hub's token</span><input name="token" type="password" autocomplete="current-password" required
  /></label>`;
}

/** The router would take the click for one of its own pages. */
function leaveThePage(event: MouseEvent): void {
  event.preventDefault();
  globalThis.location.assign("/api/v1/session/oidc");
}

declare global {
  interface HTMLElementTagNameMap {
    "sign-in": SignIn;
  }
}
