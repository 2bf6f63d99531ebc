// One device on its way to a version: the stepper, the download's bytes, and at the end the outcome in words with its evidence.
import { buildWords, DEFAULT_MODEL, type Device, type OutcomeReport } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { bytes, milliseconds } from "../format/numbers.ts";
import { stepsOf, WAY } from "./steps.ts";
import { badge, heldBadge, OUTCOME_TONE, OUTCOME_WORDS, standingBadge } from "./tones.ts";

/** @param deploymentId only the outcome of this deployment is told; null tells the last one whatever it was. */
export function deviceProgress(device: Device, deploymentId: string | null): TemplateResult {
  const model = device.models[DEFAULT_MODEL];
  const attempt = model?.attempt ?? null;
  const last = model?.last_outcome ?? null;
  const outcome = last && (deploymentId === null || last.deployment_id === deploymentId) ? last : null;
  return html`<article
    class="device-row"
    data-testid="device-${device.id}"
    data-sync=${model?.sync ?? "unknown"}
    data-phase=${attempt?.phase ?? device.phase}
    data-version=${model?.current?.version ?? "none"}
  >
    <div class="device-row-head">
      <a class="device-name" href="/devices/${device.id}">${device.id}</a>
      ${device.online ? nothing : badge("quiet", "Offline")} ${heldBadge(device)}
      <span class="muted">runs <strong>${model?.current?.version ?? "nothing"}</strong></span>
      <span class="spacer"></span>
      ${standingBadge(device, DEFAULT_MODEL, false)}
    </div>
    ${attempt || outcome ? stepper(stepsOf(attempt, outcome)) : nothing}
    ${
      attempt?.phase === "downloading" && attempt.download
        ? html`<p class="muted">${bytes(attempt.download.bytes)} of ${bytes(attempt.download.total_bytes)}</p>`
        : nothing
    }
    ${attempt?.build ? html`<p class="muted">${buildWords(attempt.build, model?.current?.version ?? null)}</p>` : nothing}
    ${!attempt && outcome ? outcomeInWords(outcome) : nothing}
    ${
      device.trouble
        ? html`<div class="outcome bad">
            <p>${device.trouble.message}</p>
            <p class="next-step">${device.trouble.next_step}</p>
          </div>`
        : nothing
    }
  </article>`;
}

function stepper(steps: ReturnType<typeof stepsOf>): TemplateResult {
  return html`<ol class="stepper" aria-label="Phases">
    ${WAY.map((point) => html`<li class=${steps[point]} aria-current=${steps[point] === "now" ? "step" : nothing}>${point}</li>`)}
  </ol>`;
}

export function outcomeInWords(report: OutcomeReport): TemplateResult {
  if (report.outcome === "committed") {
    return html`<p class="outcome good">
      ${badge("good", OUTCOME_WORDS.committed)} ${report.message} <time-ago at=${report.at}></time-ago>
    </p>`;
  }
  return html`<div class="outcome ${OUTCOME_TONE[report.outcome]}">
    <p>
      ${badge(OUTCOME_TONE[report.outcome], `${OUTCOME_WORDS[report.outcome]} ${report.version}`)} ${report.message}
      <code>${report.code}</code> <time-ago at=${report.at}></time-ago>
    </p>
    ${report.next_step ? html`<p class="next-step">${report.next_step}</p>` : nothing} ${evidenceTable(report)}
  </div>`;
}

export function evidenceTable({ evidence }: OutcomeReport): TemplateResult | typeof nothing {
  const { baseline, candidate, restored, limit_p95_ms: limit, golden } = evidence;
  const rows = [
    baseline ? (["Before, p95", milliseconds(baseline.p95_ms)] as const) : null,
    candidate ? (["Candidate, p95", milliseconds(candidate.p95_ms)] as const) : null,
    limit !== undefined ? (["Allowed", milliseconds(limit)] as const) : null,
    restored ? (["Restored, p95", milliseconds(restored.p95_ms)] as const) : null,
    golden ? (["Golden samples", `${golden.checked - golden.failed} of ${golden.checked} right`] as const) : null,
    evidence.expected_bytes !== undefined
      ? (["Size", `${bytes(evidence.actual_bytes ?? 0)} of ${bytes(evidence.expected_bytes)} signed`] as const)
      : null,
  ].filter((row) => row !== null);
  if (rows.length === 0) return nothing;
  return html`<dl class="evidence">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}
