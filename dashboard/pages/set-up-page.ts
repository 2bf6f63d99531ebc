// The page behind a one-time link: the first admin names itself and sets a password; anybody else just sets a password.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { api } from "../live/client.ts";
import { StoreController, type FleetStore } from "../live/store.ts";
import { failureInWords } from "../parts/failure.ts";
import { LightElement } from "../parts/light-element.ts";

@customElement("set-up-page")
export class SetUpPage extends LightElement {
  @property({ attribute: false }) store!: FleetStore;
  @state() private isBusy = false;
  @state() private failure: Error | null = null;
  private secret = "";
  private follows = false;

  /** The session is asked for while this page is on its way: what it tells comes later. */
  override willUpdate(): void {
    if (this.follows) return;
    this.follows = true;
    new StoreController(this, this.store);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { hash } = globalThis.location;
    if (hash === "") return;
    this.secret = hash.slice(1);
    // Out of the address bar and of the browser's history: whoever has it can use it.
    globalThis.history.replaceState({}, "", "/setup");
  }

  override render() {
    const isFirst = this.store.state.session?.setup_needed === true;
    if (this.secret === "") {
      return html`<h1>Set a password</h1>
        <p>This page needs the whole link, as the hub or an admin gave it to you. A link works once.</p>`;
    }
    if (!this.store.state.session) return html`<p class="muted loading" aria-busy="true">Asking the hub …</p>`;
    return html`<form class="sign-in card" @submit=${this.submit}>
      <h1>${isFirst ? "Make the first account" : "Set your password"}</h1>
      ${isFirst ? html`<p>This account is an admin: it can make accounts for everybody else.</p>` : nothing}
      ${
        isFirst
          ? html`<label class="field"
              ><span>Name</span
              ><input name="name" autocomplete="username" autocapitalize="none" minlength="2" maxlength="64" required
            /></label>`
          : nothing
      }
      <label class="field"
        ><span>New password, at least 10 characters</span
        ><input name="password" type="password" autocomplete="new-password" minlength="10" maxlength="256" required
      /></label>
      <label class="field"
        ><span>The same again</span><input name="again" type="password" autocomplete="new-password" required
      /></label>
      ${this.failure ? failureInWords(this.failure) : nothing}
      <button class="primary" type="submit" ?disabled=${this.isBusy}>
        ${this.isBusy ? "Setting …" : "Set the password and sign in"}
      </button>
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
    this.failure = null;
    if (field("password") !== field("again")) {
      this.failure = new Error("The two passwords differ.");
      return;
    }
    this.isBusy = true;
    const name = field("name");
    try {
      await api.setUp({ secret: this.secret, password: field("password"), ...(name === "" ? {} : { name }) });
      globalThis.location.assign("/");
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.isBusy = false;
    }
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "set-up-page": SetUpPage;
  }
}
