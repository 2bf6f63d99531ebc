// The gate as a checklist: each condition with its verdict and the sentence that has the figures in it.
import type { GateReport, Verdict } from "@context-edge/protocol";
import { html, type TemplateResult } from "lit";
import { VERDICT_TONE } from "./tones.ts";

const MARK: Record<Verdict, string> = { pass: "✓", fail: "✕", inconclusive: "…" };
const TITLE: Record<string, string> = {
  soak: "Watched long enough",
  committed: "Devices run it",
  rollbacks: "Nobody rolled back",
  errors: "Few errors",
  latency: "Fast enough",
  accuracy: "Accurate",
};

export function gateChecklist(gate: GateReport): TemplateResult {
  return html`<ul class="gate">
    ${gate.conditions.map(
      ({ name, verdict, detail }) =>
        html`<li class=${VERDICT_TONE[verdict]}>
          <span class="mark" role="img" aria-label=${verdict}>${MARK[verdict]}</span>
          <span><strong>${TITLE[name] ?? name}</strong><br /><span class="muted">${detail}</span></span>
        </li>`,
    )}
  </ul>`;
}
