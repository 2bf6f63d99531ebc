// The devices of a deployment: those that move with all they tell, those that run it in a line each, those whose turn has not come as names.
import { DEFAULT_MODEL, type Deployment, type Device } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { milliseconds, plural } from "../format/numbers.ts";
import { attentionFirst, membersOf, waitsForWave } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { deviceProgress } from "./device-progress.ts";
import "./more-list.ts";
import { badge } from "./tones.ts";

const MOST_NAMES = 60;

export function deploymentDevices(state: FleetState, deployment: Deployment): TemplateResult {
  const members = membersOf(state, deployment);
  const later = members.filter((device) => waitsForWave(state, device));
  const isLater = new Set(later.map(({ id }) => id));
  const now = attentionFirst(members.filter(({ id }) => !isLater.has(id)));
  if (members.length === 0) return html`<p class="card quiet-card">No device follows this deployment any more.</p>`;
  return html`<more-list
      .items=${now}
      .keyOf=${(device: Device) => device.id}
      .show=${(device: Device) => row(device, deployment.id)}
      what="device"
    ></more-list>
    ${later.length > 0 ? laterOnes(later) : nothing}`;
}

/** Whoever runs it and has nothing else to tell takes one line. */
function row(device: Device, deploymentId: string): TemplateResult {
  const model = device.models[DEFAULT_MODEL];
  const last = model?.last_outcome;
  const isDone = model?.sync === "in-sync" && !model.attempt && device.trouble === null;
  if (!isDone || last?.deployment_id !== deploymentId || last.outcome !== "committed")
    return deviceProgress(device, deploymentId);
  const { baseline, candidate } = last.evidence;
  return html`<article
    class="device-row one-line"
    data-testid="device-${device.id}"
    data-sync="in-sync"
    data-phase=${device.phase}
    data-version=${model.current?.version ?? "none"}
  >
    <a class="device-name" href="/devices/${device.id}">${device.id}</a>
    ${device.online ? nothing : badge("quiet", "Offline")} ${badge("good", "Committed")}
    <span class="muted"><time-ago at=${last.at}></time-ago></span>
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
  </article>`;
}

function laterOnes(devices: readonly Device[]): TemplateResult {
  const left = devices.length - MOST_NAMES;
  return html`<div class="card later" data-testid="later">
    <p>
      <strong>${plural(devices.length, "device")}</strong>
      <span class="muted">wait for a later step and run what they ran</span>
    </p>
    <p class="names">
      ${devices.slice(0, MOST_NAMES).map(({ id }) => html`<a href="/devices/${id}">${id}</a> `)}
      ${left > 0 ? html`<span class="muted">and ${left} more</span>` : nothing}
    </p>
  </div>`;
}
