// The frame: navigation, connection, banner, the dialog that asks, and the page that the address names.
import { Router } from "@lit-labs/router";
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { FleetStore, StoreController } from "./live/store.ts";
import type { Connection } from "./live/state.ts";
import { AskEvent, type Question } from "./parts/ask.ts";
import { LightElement } from "./parts/light-element.ts";
import "./parts/question-dialog.ts";
import "./parts/time-ago.ts";
import "./pages/overview-page.ts";

const LINKS = [
  ["/", "Overview"],
  ["/models", "Models"],
  ["/deployments", "Deployments"],
  ["/groups", "Groups"],
  ["/devices", "Devices"],
  ["/activity", "Activity"],
] as const;

const CONNECTION_WORDS: Record<Connection, string> = {
  connecting: "Connecting …",
  live: "Live",
  lost: "Connection lost",
};
const TOAST_MS = 6_000;

@customElement("app-shell")
export class AppShell extends LightElement {
  private readonly store = new FleetStore();
  private readonly router = new Router(this, [
    { path: "/", render: () => html`<overview-page .store=${this.store}></overview-page>` },
    {
      path: "/models",
      enter: lazily(() => import("./pages/models-page.ts")),
      render: () => html`<models-page .store=${this.store}></models-page>`,
    },
    {
      path: "/models/:id",
      enter: lazily(() => import("./pages/version-page.ts")),
      render: ({ id }) => html`<version-page .store=${this.store} .version=${id ?? ""}></version-page>`,
    },
    {
      path: "/deployments",
      enter: lazily(() => import("./pages/deployments-page.ts")),
      render: () => html`<deployments-page .store=${this.store}></deployments-page>`,
    },
    {
      path: "/deployments/:id",
      enter: lazily(() => import("./pages/deployment-page.ts")),
      render: ({ id }) => html`<deployment-page .store=${this.store} .deploymentId=${id ?? ""}></deployment-page>`,
    },
    {
      path: "/groups",
      enter: lazily(() => import("./pages/groups-page.ts")),
      render: () => html`<groups-page .store=${this.store}></groups-page>`,
    },
    {
      path: "/devices",
      enter: lazily(() => import("./pages/devices-page.ts")),
      render: () => html`<devices-page .store=${this.store}></devices-page>`,
    },
    {
      path: "/devices/:id",
      enter: lazily(() => import("./pages/device-page.ts")),
      render: ({ id }) => html`<device-page .store=${this.store} .deviceId=${id ?? ""}></device-page>`,
    },
    {
      path: "/activity",
      enter: lazily(() => import("./pages/activity-page.ts")),
      render: () => html`<activity-page .store=${this.store}></activity-page>`,
    },
    {
      path: "/*",
      render: () =>
        html`<h1>Not found</h1>
          <p>There is no such page. <a href="/">Go to the overview</a>.</p>`,
    },
  ]);
  @state() private question: Question | null = null;
  @state() private toast = "";
  @state() private theme: "light" | "dark" = storedTheme();

  constructor() {
    super();
    new StoreController(this, this.store);
    this.addEventListener(AskEvent.NAME, (event) => {
      if (event instanceof AskEvent) this.question = event.question;
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    applyTheme(this.theme);
    void this.store.start();
  }

  override render() {
    const { session, connection } = this.store.state;
    return html`
      <a class="skip" href="#main">Skip to content</a>
      <header class="top">
        <a class="brand" href="/"><img src="/favicon.svg" alt="" width="24" height="24" /> Context Edge</a>
        <nav aria-label="Pages">
          ${LINKS.map(([path, name]) => html`<a href=${path} aria-current=${this.isHere(path) ? "page" : nothing}>${name}</a>`)}
        </nav>
        <span class="spacer"></span>
        <span class="connection ${connection}" role="status">${CONNECTION_WORDS[connection]}</span>
        <button
          class="quiet"
          @click=${this.toggleTheme}
          aria-label="Use the ${this.theme === "dark" ? "light" : "dark"} theme"
        >
          ${this.theme === "dark" ? "☀" : "☾"}
        </button>
      </header>
      ${
        session?.auth === "none"
          ? html`<p class="banner">No sign-in: this hub answers only on this machine (HUB_AUTH=none)</p>`
          : nothing
      }
      ${connection === "lost" ? html`<p class="banner bad" role="alert">The hub does not answer. What you see may be old; it catches up by itself.</p>` : nothing}
      <main id="main" tabindex="-1">${session && !session.signed_in ? this.renderSignIn() : this.router.outlet()}</main>
      <div class="toast" role="status" aria-live="polite" ?hidden=${this.toast === ""}>${this.toast}</div>
      <question-dialog .question=${this.question} .onDone=${this.answered}></question-dialog>
    `;
  }

  private renderSignIn() {
    return html`<form class="sign-in card" @submit=${this.signIn}>
      <h1>Sign in</h1>
      <label class="field"
        ><span>The hub's token</span><input name="token" type="password" autocomplete="current-password" required
      /></label>
      <button class="primary" type="submit">Sign in</button>
    </form>`;
  }

  private readonly signIn = async (event: SubmitEvent) => {
    event.preventDefault();
    const token = new FormData(event.target as HTMLFormElement).get("token");
    try {
      await this.store.signIn(typeof token === "string" ? token : "");
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error));
    }
  };

  private isHere(path: string): boolean {
    const here = globalThis.location.pathname;
    return path === "/" ? here === "/" : here === path || here.startsWith(`${path}/`);
  }

  private readonly answered = (message: string | null) => {
    this.question = null;
    if (message) this.say(message);
  };

  private say(message: string): void {
    this.toast = message;
    setTimeout(() => {
      if (this.toast === message) this.toast = "";
    }, TOAST_MS);
  }

  private readonly toggleTheme = () => {
    this.theme = this.theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", this.theme);
    applyTheme(this.theme);
  };
}

/** Pages are fetched when they are first visited. */
function lazily(load: () => Promise<unknown>): () => Promise<boolean> {
  return async () => {
    await load();
    return true;
  };
}

function storedTheme(): "light" | "dark" {
  const stored = localStorage.getItem("theme");
  if (stored === "light" || stored === "dark") return stored;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function applyTheme(theme: "light" | "dark"): void {
  document.documentElement.classList.toggle("wa-dark", theme === "dark");
  document.documentElement.style.colorScheme = theme;
}

declare global {
  interface HTMLElementTagNameMap {
    "app-shell": AppShell;
  }
}
