// The hub: where it is, when it last answered, and what it has not been told yet.
import { instant } from "../../core/instant.ts";
import type { StatusDocument } from "../document.ts";
import { clockTime, counted, sentence } from "../format.ts";
import { attribute, html, type Piece, timeTag } from "../markup.ts";

const STATE: Record<StatusDocument["hub"]["state"], { words: string; tone: "good" | "waiting" | "quiet" }> = {
  answering: { words: "answers", tone: "good" },
  failing: { words: "does not answer as it should", tone: "waiting" },
  never: { words: "not asked yet", tone: "quiet" },
};

export function hubSection({ hub, unreported, at }: StatusDocument): Piece {
  const { words, tone } = STATE[hub.state];
  const answered =
    hub.last_answer_at === null
      ? [html`<p>It has not answered since the agent started.</p>`]
      : [html`<p>Last answer ${timeTag(hub.last_answer_at, clockTime(hub.last_answer_at, instant(at)))}.</p>`];
  const untold =
    unreported === 0
      ? "Everything was told to it."
      : `${counted(unreported, "result")} ${unreported === 1 ? "is" : "are"} kept here until it can be told.`;
  // The address comes from the operator's own settings and was parsed as http or https.
  return [
    html`<section class="card" id="hub" data-live>
      <h2>Hub <span class="pill ${tone}">${words}</span></h2>
      <p><a id="hub-link" href="$${attribute(hub.url)}" rel="noreferrer">${hub.url}</a></p>
      ${answered} ${hub.trouble ? [html`<p>${sentence(hub.trouble.message)}</p>`] : []}
      <p class="soft">${untold}</p>
    </section>`,
  ];
}
