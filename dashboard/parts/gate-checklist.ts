// The gate as a checklist: each condition with its verdict, the sentence that has the figures in it, and those figures where one measures against a limit.
import type { GateCondition, GateReport, Verdict } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { VERDICT_TONE } from "./tones.ts";

const MARK: Record<Verdict, string> = { pass: "✓", fail: "✕", inconclusive: "…" };
const TITLE: Record<string, string> = {
  soak: "Watched long enough",
  committed: "Devices run it",
  rollbacks: "Nobody rolled back",
  errors: "Few errors",
  latency: "Fast enough",
  accuracy: "Accurate",
  "false-positives": "Few false alarms",
  "false-negatives": "Few missed faults",
};
/** Conditions with an interval, and the limit that it is held against. */
const LIMIT: Record<string, string> = {
  accuracy: "earlier",
  errors: "allowed_share",
  "false-positives": "limit",
  "false-negatives": "limit",
};

export function gateChecklist(gate: GateReport): TemplateResult {
  return html`<ul class="gate">
      ${gate.conditions.map(
        (condition) =>
          html`<li class=${VERDICT_TONE[condition.verdict]}>
            <span class="mark" role="img" aria-label=${condition.verdict}>${MARK[condition.verdict]}</span>
            <div>
              <strong>${TITLE[condition.name] ?? condition.name}</strong>
              <p class="muted">${condition.detail}</p>
              ${interval(condition)}
            </div>
          </li>`,
      )}
    </ul>
    <p class="muted">Judged <time-ago at=${gate.evaluated_at}></time-ago>.</p>`;
}

/** Where the truth may lie, and the limit: a bar says faster than three numbers whether the two overlap. */
function interval({ name, evidence }: GateCondition): TemplateResult | typeof nothing {
  const [low, high] = [evidence["low"], evidence["high"]];
  const limit = evidence[LIMIT[name] ?? ""];
  if (low == null || high == null || limit == null || (low === 0 && high === 1)) return nothing;
  const from = Math.max(0, Math.min(low, limit) - 0.02);
  const span = Math.min(1, Math.max(high, limit) + 0.02) - from;
  const place = (value: number) => `${(((value - from) / span) * 100).toFixed(1)}%`;
  return html`<div class="interval" aria-hidden="true">
    <i style="left:${place(low)};right:calc(100% - ${place(high)})"></i><b style="left:${place(limit)}"></b>
  </div>`;
}
