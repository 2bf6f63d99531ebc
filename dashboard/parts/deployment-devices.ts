// The devices of a deployment: those that move with all they tell, those that run it in a line each, those whose turn has not come as names.
import type { Deployment, Device } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { plural } from "../format/numbers.ts";
import { attentionFirst, membersOf, waitsForWave } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { deviceLine } from "./device-line.ts";
import "./more-list.ts";

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
      .show=${(device: Device) => deviceLine(state, device, deployment.id)}
      what="device"
    ></more-list>
    ${later.length > 0 ? laterOnes(later) : nothing}`;
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
