// The frame: navigation, connection, banner, the dialog that asks, and the page that the address names.
import { Router } from "@lit-labs/router";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { plural } from "./format/numbers.ts";
import { ApiError } from "./live/client.ts";
import { devicesInTrouble, openDeployments, versionsToReview } from "./live/select.ts";
import { FleetStore, StoreController } from "./live/store.ts";
import type { Connection, FleetState } from "./live/state.ts";
import { pagesOf } from "./pages.ts";
import { AskEvent, type Question } from "./parts/ask.ts";
import { SayEvent } from "./parts/say.ts";
import { icon, type IconName } from "./parts/icon.ts";
import { LightElement } from "./parts/light-element.ts";
import { showPlace, showTitle } from "./parts/place.ts";
import "./parts/sign-in.ts";
import "./parts/time-ago.ts";
import "./pages/overview-page.ts";

interface Link {
  path: string;
  name: string;
  icon: IconName;
  /** What waits behind it; zero shows nothing. */
  count?: (now: FleetState) => number;
}

const LINKS: readonly Link[] = [
  { path: "/", name: "Overview", icon: "overview" },
  { path: "/models", name: "Models", icon: "models", count: (now) => versionsToReview(now).length },
  { path: "/deployments", name: "Deployments", icon: "deployments", count: (now) => openDeployments(now).length },
  { path: "/groups", name: "Groups", icon: "groups" },
  { path: "/devices", name: "Devices", icon: "devices", count: (now) => devicesInTrouble(now).length },
  { path: "/audit", name: "Audit", icon: "audit" },
  { path: "/settings", name: "Settings", icon: "settings" },
];
const CONNECTION_WORDS: Record<Connection, string> = {
  connecting: "Connecting …",
  live: "Live",
  lost: "Connection lost",
};
const TOAST_MS = 6_000;

@customElement("app-shell")
export class AppShell extends LightElement {
  private readonly store = new FleetStore();
  /** Pages are fetched when they are first visited. */
  private readonly lazily = (load: () => Promise<unknown>) => () => this.fetchPart(load);
  private readonly router = new Router(this, [...pagesOf(this.store, this.lazily)]);
  private shownPlace = "";
  @state() private question: Question | null = null;
  @state() private toast = "";
  @state() private theme: "light" | "dark" = storedTheme();

  constructor() {
    super();
    new StoreController(this, this.store);
    this.addEventListener(AskEvent.NAME, (event) => {
      if (event instanceof AskEvent) this.ask(event.question);
    });
    this.addEventListener(SayEvent.NAME, (event) => {
      if (event instanceof SayEvent) this.say(event.message);
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    applyTheme(this.theme);
    globalThis.addEventListener("click", this.followHash, { capture: true });
    void this.store.start();
    // Not needed to look, soon needed to act.
    globalThis.addEventListener("load", () => void import("./parts/question-dialog.ts").catch(() => undefined));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    globalThis.removeEventListener("click", this.followHash, { capture: true });
  }

  override updated(): void {
    if (!this.store.state.loaded) return;
    // What the router shows, not what the address says: the two differ while a page is being fetched.
    const place = `${this.router.link()} ${JSON.stringify(this.router.params)}`;
    const before = this.shownPlace;
    this.shownPlace = place;
    void (place === before ? showTitle(this) : showPlace(this, before === "" ? "keep-focus" : "move-focus"));
  }

  override render() {
    const { session, connection, lostBecause, loaded } = this.store.state;
    const isOut = session !== null && !session.signed_in && !this.isHere("/setup");
    return html`
      <a class="skip" href="#main">Skip to content</a>
      <header class="rail">
        <a class="brand" href="/"><img src="/favicon.svg" alt="" width="26" height="26" /> Context Edge</a>
        ${isOut ? nothing : html`<nav aria-label="Pages">${LINKS.map((link) => this.renderLink(link, loaded))}</nav>`}
        <div class="rail-foot">
          <span class="connection ${connection}" role="status">${CONNECTION_WORDS[connection]}</span>
          ${this.renderWho()}
          <button
            @click=${this.toggleTheme}
            aria-label="Use the ${this.theme === "dark" ? "light" : "dark"} theme"
            title="Use the ${this.theme === "dark" ? "light" : "dark"} theme"
          >
            ${icon(this.theme === "dark" ? "sun" : "moon")}
          </button>
        </div>
      </header>
      <div class="stage">
        ${
          session?.auth === "none"
            ? html`<p class="banner">No sign-in: this hub answers only on this machine (HUB_AUTH=none)</p>`
            : nothing
        }
        ${connection === "lost" ? html`<p class="banner bad" role="alert">${lostBecause ?? "The connection to the hub is cut."} What you see may be old; it catches up by itself.</p>` : nothing}
        <main id="main" tabindex="-1">
          ${isOut ? html`<sign-in .store=${this.store}></sign-in>` : this.router.outlet()}
        </main>
      </div>
      <div class="toast" role="status" aria-live="polite" ?hidden=${this.toast === ""}>${this.toast}</div>
      <question-dialog .question=${this.question} .onDone=${this.answered}></question-dialog>
    `;
  }

  private renderLink({ path, name, icon: shape, count }: Link, loaded: boolean): TemplateResult {
    const waiting = loaded ? (count?.(this.store.state) ?? 0) : 0;
    return html`<a href=${path} aria-current=${this.isHere(path) ? "page" : nothing}
      >${icon(shape)}<span>${name}</span>${
        waiting > 0
          ? html`<span
              class="count ${path === "/models" ? "now" : ""}"
              aria-label=${plural(waiting, "waiting", "waiting")}
              >${waiting}</span
            >`
          : nothing
      }</a
    >`;
  }

  private renderWho(): TemplateResult | typeof nothing {
    const { session } = this.store.state;
    if (!session?.signed_in || session.auth === "none") return nothing;
    const who =
      session.auth === "accounts"
        ? html`<a class="who" href="/settings/account">${session.user}, ${session.role}</a>`
        : nothing;
    return html`${who}<button @click=${this.signOut}>${icon("leave")}&nbsp;Sign out</button>`;
  }

  /** The dialog and its component are not part of the first page; once they are here, a question opens at once. */
  private ask(question: Question): void {
    if (customElements.get("question-dialog")) this.question = question;
    else
      void this.fetchPart(async () => {
        await import("./parts/question-dialog.ts");
        this.question = question;
      });
  }

  /** A part that cannot be fetched is told: the hub may be away, or serve a newer dashboard under other names. */
  private async fetchPart(fetchIt: () => Promise<unknown>): Promise<boolean> {
    try {
      await fetchIt();
      return true;
    } catch {
      this.say("This part of the dashboard could not be fetched. Reload the page when the hub answers.");
      return false;
    }
  }

  private readonly signOut = async () => {
    try {
      await this.store.signOut();
    } catch (error) {
      this.say(error instanceof ApiError ? error.message : String(error));
    }
  };

  /** The router takes every click for a new page; a place on this page is gone to here, before it hears of the click. */
  private readonly followHash = (event: MouseEvent) => {
    const link = event.composedPath().find((target) => target instanceof HTMLAnchorElement);
    if (!link?.hash || link.pathname !== globalThis.location.pathname || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    globalThis.history.replaceState({}, "", link.hash);
    void showPlace(this, "move-focus");
  };

  private isHere(path: string): boolean {
    const here = globalThis.location.pathname;
    return path === "/" ? here === "/" : here === path || here.startsWith(`${path}/`);
  }

  /** Another question may be open by the time an answer comes: only the one that was answered is closed. */
  private readonly answered = (question: Question, message: string | null) => {
    if (this.question === question) this.question = null;
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
