// The last attempts as a timeline, newest first, each with its evidence and the way it went.
import type { Outcome } from "@context-edge/protocol";
import { instant } from "../../core/instant.ts";
import { outcomeWords } from "../../core/outcome-words.ts";
import { PHASE_WORDS, type Tone } from "../../core/words.ts";
import type { StatusDocument } from "../document.ts";
import { evidenceBlock } from "../evidence.ts";
import { clockTime, duration, sentence } from "../format.ts";
import { digestTag, html, icon, idOf, type Piece, timeTag } from "../markup.ts";

/** The rest is in `/status.json` and in the diagnostics. */
const SHOWN = 12;

const TONE_OF: Record<Outcome, Tone> = { committed: "good", "rolled-back": "bad", rejected: "bad", failed: "waiting" };

export function historySection(status: StatusDocument): Piece {
  const { history, models } = status;
  const shown = history.slice(0, SHOWN);
  const isMany = Object.keys(models).length > 1;
  const items = shown.map((past, index) => entry(past, { isMany, isOpen: index === 0, at: status.at }));
  const more = history.length - shown.length;
  return [
    html`<section class="card" id="history" data-live>
      <h2>Last attempts</h2>
      ${
        items.length === 0
          ? [html`<p class="soft">Nothing was installed by this agent yet.</p>`]
          : [
              html`<ol class="timeline">
                ${items}
              </ol>`,
            ]
      }
      ${more > 0 ? [html`<p class="soft">${String(more)} older ones are in the diagnostics.</p>`] : []}
    </section>`,
  ];
}

type Past = StatusDocument["history"][number];

function entry(
  { id, report, started_at: startedAt, steps }: Past,
  view: { isMany: boolean; isOpen: boolean; at: string },
): string {
  const tone = TONE_OF[report.outcome];
  const next = report.next_step === "" ? [] : [html`<p class="next"><b>What to do:</b> ${report.next_step}</p>`];
  const model = view.isMany ? [html` <span class="soft">${report.model}</span>`] : [];
  return html`<li class="${tone}">
    <details id="${idOf(`attempt-${id}`)}" ${view.isOpen ? ["open"] : []}>
      <summary>
        ${icon(tone)}
        <span class="line"
          ><b>${report.version}</b> ${outcomeWords(report)}${model}
          ${timeTag(report.at, clockTime(report.at, instant(view.at)))}</span
        >
      </summary>
      <p>${sentence(report.message)}</p>
      ${next} ${evidenceBlock(report)}
      <p class="soft">Took ${duration(instant(report.at) - instant(startedAt))}: ${wayOf(steps)}</p>
      <dl class="small">
        <dt>Code</dt>
        <dd><code>${report.code}</code></dd>
        <dt>Deployment</dt>
        <dd><code>${report.deployment_id}</code></dd>
        <dt>File</dt>
        <dd>${digestTag(report.digest, `attempt-${id}`)}</dd>
      </dl>
    </details>
  </li>`;
}

function wayOf(steps: Past["steps"]): string {
  return steps.map((step) => PHASE_WORDS[step.phase].toLowerCase()).join(" → ") || "it did not begin";
}
