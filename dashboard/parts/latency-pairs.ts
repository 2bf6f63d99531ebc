// p95 before and after the swap, device by device: what the agents measured minutes apart on the same machine.
import { DEFAULT_MODEL, type Device } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { milliseconds } from "../format/numbers.ts";

interface Pair {
  id: string;
  before: number;
  after: number;
  limit: number | null;
}

const MOST_SHOWN = 12;

export function latencyPairs(devices: readonly Device[], deploymentId: string): TemplateResult | typeof nothing {
  const all = devices.flatMap((device) => pairOf(device, deploymentId));
  const pairs = all.length > MOST_SHOWN ? all.toSorted((a, b) => b.after - a.after) : all;
  if (pairs.length === 0) return nothing;
  const most = Math.max(...pairs.flatMap(({ before, after, limit }) => [before, after, limit ?? 0]));
  const place = (value: number) => `${((value / most) * 100).toFixed(1)}%`;
  return html`<section class="card" aria-labelledby="pairs">
    <h2 id="pairs">p95 before and after, per device</h2>
    <ul class="pairs">
      ${pairs.slice(0, MOST_SHOWN).map(
        ({ id, before, after, limit }) =>
          html`<li>
            <a href="/devices/${id}">${id}</a>
            <span class="pair" aria-hidden="true"
              ><i class="before" style="left:${place(before)}"></i
              ><i class="after ${limit !== null && after > limit ? "bad" : ""}" style="left:${place(after)}"></i
              >${limit === null ? nothing : html`<i class="limit" style="left:${place(limit)}"></i>`}</span
            >
            <span class="muted">${milliseconds(before)} → <strong>${milliseconds(after)}</strong></span>
          </li>`,
      )}
    </ul>
    <p class="legend">
      <span><i class="dot before"></i>before</span><span><i class="dot after"></i>after</span
      ><span><i class="dot limit"></i>allowed</span>
    </p>
    ${pairs.length > MOST_SHOWN ? html`<p class="muted">The slowest ${MOST_SHOWN} of ${pairs.length}.</p>` : nothing}
  </section>`;
}

function pairOf(device: Device, deploymentId: string): Pair[] {
  const outcome = device.models[DEFAULT_MODEL]?.last_outcome;
  const before = outcome?.evidence.baseline?.p95_ms;
  const after = outcome?.evidence.candidate?.p95_ms;
  if (outcome?.deployment_id !== deploymentId || before == null || after == null) return [];
  return [{ id: device.id, before, after, limit: outcome.evidence.limit_p95_ms ?? null }];
}
