// How one device was over the last day: inference time, heat, power, load and memory, with its swaps marked.
import type { Series } from "@context-edge/protocol";
import { html, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Line } from "../format/chart.ts";
import { bytes, milliseconds } from "../format/numbers.ts";
import { api } from "../live/client.ts";
import { LightElement } from "./light-element.ts";
import "./time-chart.ts";

const REFRESH_MS = 60_000;
const SPANS = [
  ["6 h", 6],
  ["24 h", 24],
  ["7 d", 168],
  ["30 d", 720],
] as const;
const STEP_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

type Point = Series["points"][number];
interface Chart {
  heading: string;
  of: "inference" | "telemetry";
  lines: readonly [label: string, read: (point: Point) => number | null | undefined][];
  format: (value: number) => string;
}

const CHARTS: readonly Chart[] = [
  {
    heading: "Average inference time",
    of: "inference",
    lines: [["inference", ({ avg_ms: ms }) => ms]],
    format: milliseconds,
  },
  {
    heading: "Temperature",
    of: "telemetry",
    lines: [
      ["average", ({ temperature_c: c }) => c],
      ["hottest", ({ temperature_max_c: c }) => c],
    ],
    format: (value) => `${value.toFixed(0)} °C`,
  },
  {
    heading: "Power",
    of: "telemetry",
    lines: [["drawn", ({ power_w: w }) => w]],
    format: (value) => `${value.toFixed(1)} W`,
  },
  {
    heading: "GPU load",
    of: "telemetry",
    lines: [["GPU", ({ gpu_percent: share }) => share]],
    format: (value) => `${value.toFixed(0)} %`,
  },
  {
    heading: "Memory used",
    of: "telemetry",
    lines: [["memory", ({ memory_used_bytes: used }) => used]],
    format: (value) => bytes(Math.max(0, value)),
  },
];

@customElement("device-charts")
export class DeviceCharts extends LightElement {
  @property() device = "";
  @state() private hours = 24;
  @state() private series: Record<Chart["of"], Series> | null = null;
  @state() private failure = "";
  private timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => void this.load(), REFRESH_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("device") || changed.has("hours")) void this.load();
  }

  private async load(): Promise<void> {
    const { device, hours } = this;
    const query = { device, from: new Date(Date.now() - hours * 3_600_000).toISOString() };
    try {
      const [inference, telemetry] = await Promise.all([
        api.series({ ...query, kind: "inference" }),
        api.series({ ...query, kind: "telemetry" }),
      ]);
      if (device !== this.device || hours !== this.hours) return;
      this.series = { inference, telemetry };
      this.failure = "";
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  override render(): TemplateResult {
    return html`<div class="spans" role="group" aria-label="Time shown">
        ${SPANS.map(
          ([label, hours]) =>
            html`<button class="small" aria-pressed=${this.hours === hours} @click=${() => (this.hours = hours)}>
              ${label}
            </button>`,
        )}
      </div>
      ${this.series ? html`<div class="charts">${CHARTS.map((chart) => this.renderChart(chart))}</div>` : html`<p class="muted">${this.failure || "Asking for figures over time …"}</p>`}`;
  }

  private renderChart({ heading, of, lines, format }: Chart): TemplateResult {
    const { points = [], marks = [], resolution = "minute" } = this.series?.[of] ?? {};
    const drawn = lines.map(([label, read], index): Line => ({
      label,
      colour: index === 0 ? 1 : 2,
      points: points.map((point) => [Date.parse(point.at), read(point) ?? null]),
    }));
    return html`<time-chart
      heading=${heading}
      .lines=${drawn}
      .marks=${marks.map(({ at, kind, version }) => ({ atMs: Date.parse(at), label: kind === "committed" ? version : `${version} back` }))}
      .stepMs=${STEP_MS[resolution]}
      .range=${[null, null]}
      .format=${format}
    ></time-chart>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "device-charts": DeviceCharts;
  }
}
