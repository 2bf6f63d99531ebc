// Every device in one table, narrowed by text, group and state.
import { DEFAULT_MODEL, SyncState, type Device } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state as reactive } from "lit/decorators.js";
import { devicesOf, runningVersion } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { badge, OUTCOME_TONE, OUTCOME_WORDS, PHASE_WORDS, SYNC_TONE, SYNC_WORDS } from "../parts/tones.ts";
import { PageElement } from "./page-element.ts";

@customElement("devices-page")
export class DevicesPage extends PageElement {
  @reactive() private text = "";
  @reactive() private group = "";
  @reactive() private sync = "";

  protected override page(state: FleetState): TemplateResult {
    const shown = devicesOf(state).filter((device) => this.isShown(device));
    return html`
      <h1>Devices</h1>
      <form class="filters" role="search" @submit=${(event: Event) => event.preventDefault()}>
        <input
          type="search"
          aria-label="Find a device"
          placeholder="Find a device or version"
          @input=${(event: InputEvent) => (this.text = valueOf(event))}
        />
        <select aria-label="Group" @change=${(event: Event) => (this.group = valueOf(event))}>
          <option value="">All groups</option>
          ${Object.keys(state.groups).map((name) => html`<option>${name}</option>`)}
        </select>
        <select aria-label="State" @change=${(event: Event) => (this.sync = valueOf(event))}>
          <option value="">All states</option>
          ${SyncState.options.map((sync) => html`<option value=${sync}>${SYNC_WORDS[sync]}</option>`)}
        </select>
        <span class="muted" role="status">${shown.length} of ${Object.keys(state.devices).length}</span>
      </form>
      <div class="table-wrap" tabindex="0">
        <table>
          <thead>
            <tr>
              <th>Device</th>
              <th>Group</th>
              <th>Runs</th>
              <th>Target</th>
              <th>State</th>
              <th>Last outcome</th>
              <th>Seen</th>
            </tr>
          </thead>
          <tbody>
            ${shown.map(row)}
            ${
              shown.length === 0
                ? html`<tr>
                    <td colspan="7" class="muted">No device matches.</td>
                  </tr>`
                : nothing
            }
          </tbody>
        </table>
      </div>
    `;
  }

  private isShown(device: Device): boolean {
    const text = this.text.toLowerCase();
    const haystack = `${device.id} ${runningVersion(device) ?? ""}`.toLowerCase();
    return (
      haystack.includes(text) &&
      (this.group === "" || device.group === this.group) &&
      (this.sync === "" || device.sync === this.sync)
    );
  }
}

function row(device: Device): TemplateResult {
  const model = device.models[DEFAULT_MODEL];
  const outcome = model?.last_outcome;
  return html`<tr data-testid="device-${device.id}" data-sync=${device.sync} data-phase=${device.phase}>
    <td>
      <a href="/devices/${device.id}"><strong>${device.id}</strong></a>
    </td>
    <td>${device.group}</td>
    <td>${model?.current?.version ?? "nothing"}</td>
    <td>${model?.target?.version ?? "none"}</td>
    <td>
      ${device.online ? nothing : badge("quiet", "Offline")}
      ${model?.attempt ? badge("busy", PHASE_WORDS[model.attempt.phase]) : badge(SYNC_TONE[device.sync], SYNC_WORDS[device.sync])}
    </td>
    <td>
      ${outcome ? html`${badge(OUTCOME_TONE[outcome.outcome], `${OUTCOME_WORDS[outcome.outcome]} ${outcome.version}`)} ${outcome.code === "OK" ? nothing : html`<code>${outcome.code}</code>`}` : "–"}
    </td>
    <td><time-ago at=${device.last_seen ?? ""}></time-ago></td>
  </tr>`;
}

const valueOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;

declare global {
  interface HTMLElementTagNameMap {
    "devices-page": DevicesPage;
  }
}
