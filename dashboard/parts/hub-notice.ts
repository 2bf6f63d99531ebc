// What the hub cannot do at the moment, on top of the overview: looked at now and then, and gone as soon as it is over.
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { api } from "../live/client.ts";
import type { Complaint } from "../live/hub-health.ts";
import { LightElement } from "./light-element.ts";

const LOOK_EVERY_MS = 15_000;

@customElement("hub-notice")
export class HubNotice extends LightElement {
  @state() private complaints: readonly Complaint[] = [];
  private timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    const look = async () => {
      this.complaints = await api.health();
    };
    void look();
    this.timer = setInterval(() => void look(), LOOK_EVERY_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  override render() {
    if (this.complaints.length === 0) return nothing;
    return html`<div role="status">
      ${this.complaints.map(
        ({ meaning, detail }) => html`<p class="callout warn">${meaning} <span class="muted">${detail}</span></p>`,
      )}
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "hub-notice": HubNotice;
  }
}
