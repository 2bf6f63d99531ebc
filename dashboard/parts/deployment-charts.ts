// How a version does on its devices over time, beside what ran there before: inference time, errors, predictions, labelled accuracy, with the swaps marked.
import type { Deployment, LabelSeries, Series } from "@context-edge/protocol";
import { html, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Line, Mark } from "../format/chart.ts";
import { count, milliseconds, percent, smallPercent } from "../format/numbers.ts";
import { api } from "../live/client.ts";
import { LightElement } from "./light-element.ts";
import "./time-chart.ts";

const REFRESH_MS = 30_000;
/** What ran before is shown for as long again as the new one runs, but not for longer than this. */
const BEFORE_MS = 24 * 3_600_000;
const LEAST_BEFORE_MS = 2 * 3_600_000;
const STEP_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

interface Figures {
  after: Series;
  before: Series | null;
  labels: LabelSeries;
  labelsBefore: LabelSeries | null;
}

@customElement("deployment-charts")
export class DeploymentCharts extends LightElement {
  @property({ attribute: false }) deployment!: Deployment;
  @state() private figures: Figures | null = null;
  @state() private failure = "";
  private timer: ReturnType<typeof setInterval> | undefined;
  private asked = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => void this.load(), REFRESH_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  override updated(): void {
    if (this.asked === this.deployment.id) return;
    this.asked = this.deployment.id;
    this.figures = null;
    void this.load();
  }

  private earlier(): string | undefined {
    const { previous, version } = this.deployment;
    return Object.values(previous).find((one) => one !== null && one !== version) ?? undefined;
  }

  private async load(): Promise<void> {
    const { id, version, model, created_at: began, groups } = this.deployment;
    const beganMs = Date.parse(began);
    const sinceMs = Math.min(BEFORE_MS, Math.max(LEAST_BEFORE_MS, Date.now() - beganMs));
    const from = new Date(beganMs - sinceMs).toISOString();
    const earlier = this.earlier();
    const [group] = groups;
    try {
      const [after, before, labels, labelsBefore] = await Promise.all([
        api.series({ deployment: id }),
        earlier && group ? api.series({ group, version: earlier, model, from }) : null,
        api.labels({ version, model, from: began }),
        earlier ? api.labels({ version: earlier, model, from }) : null,
      ]);
      if (id !== this.deployment.id) return;
      this.figures = { after, before, labels, labelsBefore };
      this.failure = "";
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  override render(): TemplateResult {
    if (!this.figures) return html`<p class="muted">${this.failure || "Asking for figures over time …"}</p>`;
    const { after, labels } = this.figures;
    const stepMs = STEP_MS[after.resolution];
    const marks = marksOf(after);
    // Of a minute or an hour that is not over, not all predictions are counted: that would look like a fall.
    const nowMs = Date.now();
    return html`<div class="charts">
      <time-chart
        heading="Average inference time"
        .lines=${this.linesOf(({ avg_ms: ms }) => ms ?? null)}
        .marks=${marks}
        .stepMs=${stepMs}
        .format=${milliseconds}
      ></time-chart>
      <time-chart
        heading="Errors among predictions"
        .lines=${this.linesOf(({ error_share: share }) => share ?? null)}
        .marks=${marks}
        .stepMs=${stepMs}
        .format=${smallPercent}
      ></time-chart>
      <time-chart
        heading="Predictions per ${after.resolution}"
        .lines=${this.linesOf(({ at, predictions }) => (Date.parse(at) + stepMs > nowMs ? null : (predictions ?? null)))}
        .marks=${marks}
        .stepMs=${stepMs}
        .format=${(value: number) => count(Math.round(value))}
      ></time-chart>
      <time-chart
        heading="Labelled accuracy, with what the labels can prove"
        .lines=${this.accuracyLines()}
        .marks=${marks}
        .stepMs=${STEP_MS[labels.resolution]}
        .range=${[null, 1]}
        .format=${percent}
      ></time-chart>
    </div>`;
  }

  private linesOf(read: (point: Series["points"][number]) => number | null): Line[] {
    const points = (series: Series) => series.points.map((point) => [Date.parse(point.at), read(point)] as const);
    const { after, before } = this.figures ?? {};
    return [
      ...(after ? [{ label: this.deployment.version, colour: 1 as const, points: points(after) }] : []),
      ...(before ? [{ label: `${this.earlier() ?? ""} before`, colour: 2 as const, points: points(before) }] : []),
    ];
  }

  private accuracyLines(): Line[] {
    const line = (label: string, colour: 1 | 2, { points }: LabelSeries): Line => ({
      label,
      colour,
      points: points.map(({ at, accuracy }) => [Date.parse(at), accuracy.share]),
      band: points.map(({ accuracy }) => [accuracy.low, accuracy.high]),
    });
    const { labels, labelsBefore } = this.figures ?? {};
    return [
      ...(labels ? [line(this.deployment.version, 1, labels)] : []),
      ...(labelsBefore ? [line(this.earlier() ?? "", 2, labelsBefore)] : []),
    ];
  }
}

/** One mark for devices that swapped within minutes: five of them on one spot could not be read. */
function marksOf({ marks }: Series): Mark[] {
  const CLOSE_MS = 15 * 60_000;
  const gathered: { atMs: number; devices: number; words: string }[] = [];
  for (const { at, kind, version } of marks) {
    const atMs = Date.parse(at);
    const words = kind === "committed" ? `${version} in` : `${version} back`;
    const last = gathered.at(-1);
    if (last && last.words === words && atMs - last.atMs < CLOSE_MS) last.devices += 1;
    else gathered.push({ atMs, devices: 1, words });
  }
  return gathered.map(({ atMs, devices, words }) => ({ atMs, label: devices > 1 ? `${words} (${devices})` : words }));
}

declare global {
  interface HTMLElementTagNameMap {
    "deployment-charts": DeploymentCharts;
  }
}
