// Text to be taken along, such as a secret that is shown once or a command: selected with a click, copied with a button.
import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icon } from "./icon.ts";
import { LightElement } from "./light-element.ts";
import { say } from "./say.ts";

const TOLD_MS = 2_000;

@customElement("copy-field")
export class CopyField extends LightElement {
  @property() text = "";
  @property() label = "";
  @state() private isCopied = false;

  override render() {
    return html`<div class="copy-field">
      <pre tabindex="0" data-testid="copy-text" aria-label=${this.label} @click=${this.select}>${this.text}</pre>
      <button type="button" class="small" @click=${this.copy} aria-label="Copy ${this.label}">
        ${icon("copy")}<span aria-live="polite">${this.isCopied ? "Copied" : "Copy"}</span>
      </button>
    </div>`;
  }

  private readonly select = () => {
    const text = this.querySelector("pre");
    if (text) getSelection()?.selectAllChildren(text);
  };

  private readonly copy = async () => {
    this.select();
    try {
      await navigator.clipboard.writeText(this.text);
    } catch {
      // Without TLS browsers refuse it: what is selected can still be copied by hand.
      say(this, "This browser does not let a page without https copy. It is selected: press Ctrl+C.");
      return;
    }
    this.isCopied = true;
    setTimeout(() => (this.isCopied = false), TOLD_MS);
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "copy-field": CopyField;
  }
}
