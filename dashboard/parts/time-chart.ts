// Figures over time, drawn by uPlot: lines, bands, and a mark where a device swapped. One hover moves through all charts of a page.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { alignedColumns, chartInWords, isEmpty, type Line, type Mark, placeLabels } from "../format/chart.ts";
import { LightElement } from "./light-element.ts";

const HEIGHT = 164;
const LEAST_SPAN_S = 600;
const SYNC_KEY = "fleet";

@customElement("time-chart")
export class TimeChart extends LightElement {
  @property() heading = "";
  @property({ attribute: false }) lines: readonly Line[] = [];
  @property({ attribute: false }) marks: readonly Mark[] = [];
  /** How far two points of a line may be apart, in milliseconds. */
  @property({ attribute: false }) stepMs = 60_000;
  @property({ attribute: false }) format: (value: number) => string = String;
  /** Where the scale begins and ends; null: where the figures do. */
  @property({ attribute: false }) range: readonly [number | null, number | null] = [0, null];
  private plot: uPlot | undefined;
  private size: ResizeObserver | undefined;
  private theme: MutationObserver | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.size = new ResizeObserver(() => this.plot?.setSize({ width: this.clientWidth, height: HEIGHT }));
    this.size.observe(this);
    // Colours are drawn, not styled: another theme is another drawing.
    this.theme = new MutationObserver(() => this.draw());
    this.theme.observe(document.documentElement, { attributeFilter: ["class"] });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.size?.disconnect();
    this.theme?.disconnect();
    this.plot?.destroy();
    this.plot = undefined;
  }

  override render(): TemplateResult {
    const words = chartInWords(this.lines, this.format);
    return html`<figure class="time-chart">
      <figcaption>
        <strong>${this.heading}</strong>
        ${this.lines.map(({ label, colour }) => html`<span class="key colour-${colour}">${label}</span>`)}
      </figcaption>
      ${isEmpty(this.lines) ? html`<p class="muted no-figures">No figures yet.</p>` : nothing}
      <div class="plot" role="img" aria-label="${this.heading}. ${words}"></div>
    </figure>`;
  }

  override updated(): void {
    this.draw();
  }

  private draw(): void {
    const place = this.querySelector<HTMLElement>(".plot");
    this.plot?.destroy();
    this.plot = undefined;
    if (!place || isEmpty(this.lines)) return;
    const columns = alignedColumns(this.lines, this.stepMs) as unknown as uPlot.AlignedData;
    this.plot = new uPlot(this.options(), columns, place);
  }

  private options(): uPlot.Options {
    const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const [ink, grid] = [colour("--ink-soft"), colour("--line")];
    const font = "12px Inter Variable, system-ui, sans-serif";
    const series: uPlot.Series[] = [{ value: "{HH}:{mm}, {D} {MMM}" }];
    const bands: uPlot.Band[] = [];
    for (const line of this.lines) {
      const stroke = colour(`--series-${line.colour}`);
      const value = (_plot: uPlot, raw: number | null) => (raw === null ? "–" : this.format(raw));
      series.push({ label: line.label, stroke, width: 1.8, value, points: { show: line.points.length < 3 } });
      if (!line.band) continue;
      const edge = { stroke: "transparent", points: { show: false }, value: () => "" };
      const [low, high] = [series.length, series.length + 1];
      series.push({ ...edge, label: "at least" }, { ...edge, label: "at most" });
      bands.push({ series: [high, low], fill: `${stroke}22` });
    }
    const [from, to] = this.range;
    const axis: uPlot.Axis = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
    return {
      width: Math.max(this.clientWidth, 200),
      height: HEIGHT,
      series,
      bands,
      // Above the figures there is a row for the names of marks.
      padding: [this.marks.length > 0 ? 20 : 8, null, null, null],
      legend: { show: false },
      cursor: { sync: { key: SYNC_KEY }, drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        x: { range: (_plot, low, high) => widened(low, high) },
        y: {
          range: (_plot, low, high) => {
            const pad = (high - low || Math.abs(high) || 1) * 0.12;
            return [from ?? low - pad, to ?? high + pad];
          },
        },
      },
      axes: [
        { ...axis, size: 44, lineGap: 1.35, space: 62, values: CLOCK },
        { ...axis, size: 62, values: (_plot, values) => values.map((value) => this.format(value)) },
      ],
      hooks: {
        draw: [(plot) => drawMarks(plot, this.marks, ink)],
        setCursor: [(plot) => this.tell(plot)],
      },
    };
  }

  /** What stands under the pointer, said beside the heading's names. */
  private tell(plot: uPlot): void {
    const keys = this.querySelectorAll<HTMLElement>("figcaption .key");
    const { idx } = plot.cursor;
    let column = 1;
    this.lines.forEach((line, index) => {
      const value = idx === null || idx === undefined ? null : plot.data[column]?.[idx];
      const key = keys[index];
      const words = value === null || value === undefined ? line.label : `${line.label} ${this.format(value)}`;
      if (key && key.dataset["told"] !== words) key.dataset["told"] = words;
      column += line.band ? 3 : 1;
    });
  }
}

/** Of a single point, or of a few seconds, no axis could be read. Seconds since the epoch. */
function widened(low: number, high: number): [number, number] {
  const lacking = Math.max(0, LEAST_SPAN_S - (high - low));
  return [low - lacking / 2, high + lacking / 2];
}

/** Hours and minutes of a day, days of a longer span. */
const CLOCK: uPlot.Axis.Values = [
  [86_400, "{D} {MMM}", null, null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
];

function drawMarks(plot: uPlot, marks: readonly Mark[], colour: string): void {
  const { ctx } = plot;
  const { left, top, width, height } = plot.bbox;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.font = `${11 * devicePixelRatio}px Inter Variable, system-ui, sans-serif`;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  const placed = marks
    .map(({ atMs, label }) => ({ x: plot.valToPos(atMs / 1_000, "x", true) - left, label }))
    .filter(({ x }) => x >= 0 && x <= width);
  for (const { x } of placed) {
    ctx.beginPath();
    ctx.moveTo(left + x, top);
    ctx.lineTo(left + x, top + height);
    ctx.stroke();
  }
  for (const { x, text, align } of placeLabels(placed, (label) => ctx.measureText(label).width, width)) {
    ctx.textAlign = align;
    ctx.fillText(text, left + x, top - 6 * devicePixelRatio);
  }
  ctx.restore();
}

declare global {
  interface HTMLElementTagNameMap {
    "time-chart": TimeChart;
  }
}
