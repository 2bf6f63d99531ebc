// A device among others of its deployment: everything it tells while it moves or is in trouble, one line when it runs what it should.
import { DEFAULT_MODEL, type Device } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { milliseconds } from "../format/numbers.ts";
import { waitsForWave } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { deviceProgress } from "./device-progress.ts";
import { badge, heldBadge, standingBadge } from "./tones.ts";

/** @param deploymentId whose outcome is told; null: the last one, whatever it was */
export function deviceLine(state: FleetState, device: Device, deploymentId: string | null): TemplateResult {
  const model = device.models[DEFAULT_MODEL];
  const isQuiet = model?.sync === "in-sync" && !model.attempt && device.trouble === null;
  if (!isQuiet) return deviceProgress(device, deploymentId);
  const last = model.last_outcome;
  const kept = last?.outcome === "committed" && last.deployment_id === deploymentId ? last : null;
  const isLater = waitsForWave(state, device);
  const { baseline, candidate } = kept?.evidence ?? {};
  return html`<article
    class="device-row one-line"
    data-testid="device-${device.id}"
    data-sync="in-sync"
    data-phase=${device.phase}
    data-version=${model.current?.version ?? "none"}
  >
    <a class="device-name" href="/devices/${device.id}">${device.id}</a>
    ${device.online ? nothing : badge("quiet", "Offline")} ${heldBadge(device)}
    <span class="muted">runs <strong>${model.current?.version ?? "nothing"}</strong></span>
    ${kept ? html`<span class="muted">committed <time-ago at=${kept.at}></time-ago></span>` : nothing}
    <span class="spacer"></span>
    ${
      candidate
        ? html`<span class="muted"
            >p95 ${baseline ? `${milliseconds(baseline.p95_ms)} → ` : nothing}<strong
              >${milliseconds(candidate.p95_ms)}</strong
            ></span
          >`
        : nothing
    }
    ${standingBadge(device, DEFAULT_MODEL, isLater)}
  </article>`;
}
