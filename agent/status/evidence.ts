// The evidence of an attempt as a small table with bars: before, candidate, limit, and after the rollback.
import html from "html-template-tag";
import type { Evidence, Measurement } from "@context-edge/protocol";

export function evidenceTable(evidence: Evidence): string[] {
  const measured = [
    bar("running before", evidence.baseline),
    bar("candidate", evidence.candidate),
    bar("after going back", evidence.restored),
  ].filter((one) => one !== null);
  const limit = evidence.limit_p95_ms;
  const scale = Math.max(limit ?? 0, ...measured.map((one) => one.p95Ms)) || 1;
  const rows = measured.map(({ name, p95Ms, detail }) => {
    const isOver = name === "candidate" && limit !== undefined && p95Ms > limit;
    return html`<tr class="${isOver ? "over" : "within"}">
      <th scope="row">${name}</th>
      <td><meter min="0" max="${String(scale)}" value="${String(p95Ms)}"></meter></td>
      <td>p95 ${p95Ms.toFixed(1)} ms</td>
      <td>${detail}</td>
    </tr>`;
  });
  const limitRow =
    limit === undefined
      ? []
      : [
          html`<tr>
            <th scope="row">allowed</th>
            <td><meter min="0" max="${String(scale)}" value="${String(limit)}"></meter></td>
            <td>p95 ${limit.toFixed(1)} ms</td>
            <td></td>
          </tr>`,
        ];
  const table =
    rows.length === 0
      ? []
      : [
          html`<table>
            ${[...rows, ...limitRow]}
          </table>`,
        ];
  return [...table, ...facts(evidence).map((fact) => html`<p>${fact}</p>`)];
}

function bar(name: string, measurement: Measurement | undefined) {
  if (!measurement || measurement.p95_ms === null) return null;
  const errors = measurement.errors === 0 ? "" : `, ${measurement.errors} errors`;
  return { name, p95Ms: measurement.p95_ms, detail: `${measurement.samples} requests${errors}` };
}

function facts({ golden, expected_bytes, actual_bytes, expected_digest, actual_digest, detail }: Evidence): string[] {
  return [
    golden ? `Known answers: ${golden.checked - golden.failed} of ${golden.checked} right.` : "",
    golden?.worst
      ? `Furthest off: ${golden.worst.output}[${golden.worst.index}] was ${golden.worst.actual}, expected ${golden.worst.expected}.`
      : "",
    expected_bytes !== undefined ? `Size: ${actual_bytes ?? "?"} bytes, signed were ${expected_bytes}.` : "",
    expected_digest !== undefined ? `Digest: ${actual_digest ?? "?"}, expected ${expected_digest}.` : "",
    detail ?? "",
  ].filter((fact) => fact !== "");
}
