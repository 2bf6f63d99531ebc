// Signing in with the hub's token; a refusal says what to do about it.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { FleetStore } from "../live/store.ts";
import { failureInWords } from "./failure.ts";
import { LightElement } from "./light-element.ts";

@customElement("sign-in")
export class SignIn extends LightElement {
  @property({ attribute: false }) store!: FleetStore;
  @state() private isBusy = false;
  @state() private failure: Error | null = null;

  override render() {
    return html`<form class="sign-in card" @submit=${this.submit}>
      <h1>Sign in</h1>
      <label class="field"
        ><span>The hub's token</span><input name="token" type="password" autocomplete="current-password" required
      /></label>
      ${this.failure ? failureInWords(this.failure) : nothing}
      <button class="primary" type="submit" ?disabled=${this.isBusy}>
        ${this.isBusy ? "Signing in …" : "Sign in"}
      </button>
    </form>`;
  }

  private readonly submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (this.isBusy || !(event.target instanceof HTMLFormElement)) return;
    const token = new FormData(event.target).get("token");
    this.isBusy = true;
    this.failure = null;
    try {
      await this.store.signIn(typeof token === "string" ? token : "");
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.isBusy = false;
    }
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "sign-in": SignIn;
  }
}
