// The evidence of an attempt: how fast the model before, the candidate and the restored one were against the limit, as bars with the words beside them.
import type { Evidence, Measurement, OutcomeReport } from "@context-edge/protocol";
import { html, type Piece } from "./markup.ts";

interface Bar {
  name: string;
  p95Ms: number;
  isOver: boolean;
  detail: string;
}

/** Markup of the whole evidence; empty when there is none. */
export function evidenceBlock({ evidence, version }: Pick<OutcomeReport, "evidence" | "version">): Piece {
  return [...latencyChart(evidence, version), ...facts(evidence).map((fact) => html`<p class="fact">${fact}</p>`)];
}

function latencyChart(evidence: Evidence, version: string): Piece {
  const limit = evidence.limit_p95_ms;
  const bars = [
    bar("Before", evidence.baseline, undefined),
    bar(version, evidence.candidate, limit),
    bar("After going back", evidence.restored, undefined),
  ].filter((one) => one !== null);
  if (bars.length === 0) return [];
  // A little air behind the longest bar, so that the line of the limit is always inside.
  const scale = Math.max(limit ?? 0, ...bars.map((one) => one.p95Ms)) * 1.04 || 1;
  const allowed = limit === undefined ? [] : [html` <span class="limit-key">Allowed: ${limit.toFixed(1)} ms</span>`];
  return [
    html`<figure class="chart">
      <figcaption>95 of 100 answers came within ${allowed}</figcaption>
      <ul>
        ${bars.map((one) => row(one, scale, limit))}
      </ul>
    </figure>`,
  ];
}

function row({ name, p95Ms, isOver, detail }: Bar, scale: number, limit: number | undefined): string {
  const x = (ms: number) => ((ms / scale) * 100).toFixed(2);
  const line =
    limit === undefined
      ? []
      : [
          html`<line
            class="limit"
            x1="${x(limit)}"
            x2="${x(limit)}"
            y1="0"
            y2="10"
            vector-effect="non-scaling-stroke"
          ></line>`,
        ];
  return html`<li class="${isOver ? "over" : "within"}">
    <span class="name">${name}</span>
    <b>${p95Ms.toFixed(1)} ms</b>${isOver ? [html` <span class="verdict">too slow</span>`] : []}
    <span class="soft">${detail}</span>
    <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="track" width="100" height="10"></rect>
      <rect class="fill" width="${x(p95Ms)}" height="10"></rect>
      ${line}
    </svg>
  </li>`;
}

function bar(name: string, measurement: Measurement | undefined, limit: number | undefined): Bar | null {
  if (!measurement || measurement.p95_ms === null) return null;
  const errors = measurement.errors === 0 ? "" : `, ${measurement.errors} failed`;
  return {
    name,
    p95Ms: measurement.p95_ms,
    isOver: limit !== undefined && measurement.p95_ms > limit,
    detail: `${measurement.samples} requests${errors}`,
  };
}

function facts({ golden, expected_bytes, actual_bytes, expected_digest, actual_digest, detail }: Evidence): string[] {
  const worst = golden?.worst;
  return [
    golden ? `Known answers: ${golden.checked - golden.failed} of ${golden.checked} right.` : "",
    worst
      ? `Furthest off: ${worst.output}[${worst.index}] was ${figure(worst.actual)}, expected ${figure(worst.expected)}.`
      : "",
    expected_bytes !== undefined ? `Size: ${actual_bytes ?? "?"} bytes, signed were ${expected_bytes}.` : "",
    expected_digest !== undefined ? `Digest: ${actual_digest ?? "?"}, expected ${expected_digest}.` : "",
    detail ?? "",
  ].filter((fact) => fact !== "");
}

const figure = (value: number) => String(Number(value.toPrecision(4)));
