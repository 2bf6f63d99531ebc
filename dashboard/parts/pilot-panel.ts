// The guide's panel: how a version does on its devices, in real figures, asked for again every few seconds.
import type { PilotMetrics } from "@context-edge/protocol";
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { count, milliseconds, percent } from "../format/numbers.ts";
import { hours } from "../format/time.ts";
import { api } from "../live/client.ts";
import { LightElement } from "./light-element.ts";

const REFRESH_MS = 3_000;

@customElement("pilot-panel")
export class PilotPanel extends LightElement {
  @property() version = "";
  @property({ attribute: false }) onMetrics: (metrics: PilotMetrics) => void = () => undefined;
  @state() private metrics: PilotMetrics | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("version")) void this.refresh();
  }

  private async refresh(): Promise<void> {
    const version = this.version;
    const metrics = await api.metrics(version).catch(() => null);
    if (!metrics || version !== this.version) return;
    this.metrics = metrics;
    this.onMetrics(metrics);
  }

  override render() {
    const m = this.metrics;
    if (!m) return html`<p class="muted">Asking for figures …</p>`;
    const figures: [string, string, string?][] = [
      ["Devices online", `${m.pilot_devices_online} of ${m.pilot_devices_total}`],
      ["Monitored for", hours(m.monitoring_duration_hours)],
      ["Predictions", count(m.predictions_total)],
      ["Validated accuracy", percent(m.accuracy_validated), `${count(m.labelled_total)} labelled`],
      ["False positive rate", percent(m.false_positive_rate)],
      ["False negative rate", percent(m.false_negative_rate)],
      ["Errors", count(m.errors)],
      ["Average inference time", milliseconds(m.avg_inference_time_ms)],
    ];
    return html`<dl class="figures" aria-label="Pilot metrics">
      ${figures.map(
        ([name, value, note]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}${note ? html` <small class="muted">${note}</small>` : nothing}</dd>
          </div>`,
      )}
    </dl>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "pilot-panel": PilotPanel;
  }
}
