// An instant in relative words that stay true while one looks; the exact time in its title.
import { html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { absolute, ago } from "../format/time.ts";
import { LightElement } from "./light-element.ts";

const REFRESH_MS = 10_000;

@customElement("time-ago")
export class TimeAgo extends LightElement {
  /** RFC 3339. */
  @property() at = "";
  private timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => this.requestUpdate(), REFRESH_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  override render() {
    if (!this.at) return "never";
    return html`<time datetime=${this.at} title=${absolute(this.at)}>${ago(Date.parse(this.at), Date.now())}</time>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "time-ago": TimeAgo;
  }
}
