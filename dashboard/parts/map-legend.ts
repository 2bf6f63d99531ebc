// What the colours of the map say.
import { SyncState } from "@context-edge/protocol";
import { html, type TemplateResult } from "lit";
import { SYNC_TONE, SYNC_WORDS } from "./tones.ts";

export function mapLegend(): TemplateResult {
  const byTone = Map.groupBy(SyncState.options, (sync) => SYNC_TONE[sync]);
  return html`<p class="legend">
    ${[...byTone].map(
      ([tone, states]) =>
        html`<span><i class="dot ${tone}"></i>${states.map((sync) => SYNC_WORDS[sync]).join(", ")}</span>`,
    )}
    <span><i class="dot offline"></i>Offline</span>
  </p>`;
}
