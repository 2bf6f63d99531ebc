// Every device in one table, narrowed by text, group and state; the address keeps the filter, so that it can be sent to somebody.
import { DEFAULT_MODEL, SyncState, type Device } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state as reactive } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { count } from "../format/numbers.ts";
import {
  DEVICE_SORTS,
  type DeviceFilter,
  type DeviceSort,
  filtered,
  readFilter,
  writeFilter,
} from "../live/device-filter.ts";
import { devicesOf, groupsOf, waitsForWave } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { badge, heldBadge, OUTCOME_TONE, OUTCOME_WORDS, standingBadge, SYNC_WORDS } from "../parts/tones.ts";
import { PageElement } from "./page-element.ts";

const STEP = 80;
const SORT_WORDS: Record<DeviceSort, string> = {
  id: "By name",
  group: "By group",
  version: "By running version",
  seen: "Silent longest first",
};

@customElement("devices-page")
export class DevicesPage extends PageElement {
  @reactive() private filter: DeviceFilter = readFilter(globalThis.location.search);
  @reactive() private shown = STEP;

  protected override page(state: FleetState): TemplateResult {
    const matching = filtered(devicesOf(state), this.filter);
    const left = matching.length - this.shown;
    return html`
      <h1>Devices</h1>
      ${this.renderFilters(state)}
      <p class="muted" role="status">${count(matching.length)} of ${count(devicesOf(state).length)} devices</p>
      <div class="table-wrap" tabindex="0">
        <table class="folds">
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
            ${repeat(
              matching.slice(0, this.shown),
              ({ id }) => id,
              (device) => row(state, device),
            )}
            ${
              matching.length === 0
                ? html`<tr>
                    <td colspan="7" class="muted">No device matches.</td>
                  </tr>`
                : nothing
            }
          </tbody>
        </table>
      </div>
      ${left > 0 ? html`<p class="more"><button @click=${() => (this.shown += STEP)}>Show ${Math.min(STEP, left)} more</button></p>` : nothing}
    `;
  }

  private renderFilters(state: FleetState): TemplateResult {
    const { text, group, sync, online, sort } = this.filter;
    const choose = (key: keyof DeviceFilter) => (event: Event) => this.narrow({ [key]: valueOf(event) });
    return html`<form class="filters" role="search" @submit=${(event: Event) => event.preventDefault()}>
      <input
        type="search"
        aria-label="Find a device"
        placeholder="Find by device, version or module"
        .value=${text}
        @input=${choose("text")}
      />
      <select aria-label="Group" @change=${choose("group")}>
        <option value="">All groups</option>
        ${groupsOf(state).map(({ name }) => html`<option ?selected=${name === group}>${name}</option>`)}
      </select>
      <select aria-label="State" @change=${choose("sync")}>
        <option value="">All states</option>
        ${SyncState.options.map((one) => html`<option value=${one} ?selected=${one === sync}>${SYNC_WORDS[one]}</option>`)}
      </select>
      <select aria-label="Online" @change=${choose("online")}>
        <option value="">Online or not</option>
        <option value="yes" ?selected=${online === "yes"}>Online</option>
        <option value="no" ?selected=${online === "no"}>Offline</option>
      </select>
      <select aria-label="Order" @change=${choose("sort")}>
        ${DEVICE_SORTS.map((one) => html`<option value=${one} ?selected=${one === sort}>${SORT_WORDS[one]}</option>`)}
      </select>
    </form>`;
  }

  private narrow(some: Partial<DeviceFilter>): void {
    this.filter = { ...this.filter, ...some };
    this.shown = STEP;
    // The same page in the history: going back leaves it, however long one has typed.
    globalThis.history.replaceState({}, "", `/devices${writeFilter(this.filter)}`);
  }
}

function row(state: FleetState, device: Device): TemplateResult {
  const model = device.models[DEFAULT_MODEL];
  const outcome = model?.last_outcome;
  return html`<tr data-testid="device-${device.id}" data-sync=${device.sync} data-phase=${device.phase}>
    <td>
      <a href="/devices/${device.id}"><strong>${device.id}</strong></a>
    </td>
    <td data-name="in"><a href="/groups/${device.group}">${device.group}</a></td>
    <td data-name="runs">${model?.current?.version ?? "nothing"}</td>
    <td data-name="target">${model?.target?.version ?? "none"}</td>
    <td>
      ${device.online ? nothing : badge("quiet", "Offline")} ${heldBadge(device)}
      ${standingBadge(device, DEFAULT_MODEL, waitsForWave(state, device))}
    </td>
    <td>
      ${outcome ? html`${badge(OUTCOME_TONE[outcome.outcome], `${OUTCOME_WORDS[outcome.outcome]} ${outcome.version}`)} ${outcome.code === "OK" ? nothing : html`<code>${outcome.code}</code>`}` : "–"}
    </td>
    <td data-name="seen"><time-ago at=${device.last_seen ?? ""}></time-ago></td>
  </tr>`;
}

const valueOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;

declare global {
  interface HTMLElementTagNameMap {
    "devices-page": DevicesPage;
  }
}
