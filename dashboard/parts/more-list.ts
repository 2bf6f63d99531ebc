// A long list, a part at a time: what is shown is light, in the page's own flow, and found by the browser's search; the rest is one button away.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { count, plural } from "../format/numbers.ts";
import { LightElement } from "./light-element.ts";

const STEP = 60;

@customElement("more-list")
export class MoreList<T = unknown> extends LightElement {
  @property({ attribute: false }) items: readonly T[] = [];
  @property({ attribute: false }) keyOf: (item: T) => string = String;
  @property({ attribute: false }) show: (item: T) => TemplateResult = () => html``;
  /** What there is more of: `device`. */
  @property() what = "item";
  @state() private shown = STEP;

  override render() {
    const left = this.items.length - this.shown;
    return html`${repeat(this.items.slice(0, this.shown), this.keyOf, this.show)}
    ${
      left > 0
        ? html`<p class="more">
            <button @click=${this.more}>Show ${Math.min(STEP, left)} more</button>
            <span class="muted">${count(this.shown)} of ${plural(this.items.length, this.what)} shown</span>
          </p>`
        : nothing
    }`;
  }

  private readonly more = () => {
    this.shown += STEP;
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "more-list": MoreList;
  }
}
