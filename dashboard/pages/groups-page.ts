// Every group with its target and how its devices stand; assigning a version is two clicks and a confirmation, moving a device a drag.
import { DEFAULT_MODEL, type Group } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state as reactive } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { api } from "../live/client.ts";
import { whyNotAct } from "../live/allowed.ts";
import { versionsInUse } from "../live/in-use.ts";
import { devicesOf, groupsOf, versionsOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { actionButton } from "../parts/action-button.ts";
import { ask } from "../parts/ask.ts";
import "../parts/assign-form.ts";
import { askToMove } from "../parts/device-questions.ts";
import { DRAGGED } from "../parts/fleet-map.ts";
import { mapLegend } from "../parts/map-legend.ts";
import { standingInWords } from "../parts/standing.ts";
import { versionStrip } from "../parts/version-strip.ts";
import { PageElement } from "./page-element.ts";

@customElement("groups-page")
export class GroupsPage extends PageElement {
  /** The group that a dragged device is over. */
  @reactive() private over = "";

  protected override page(state: FleetState): TemplateResult {
    const signature = versionsOf(state)
      .map(({ version_id: id, stage }) => `${id} ${stage}`)
      .join();
    return html`
      <header class="page-head">
        <h1>Groups</h1>
        <div class="actions">
          ${actionButton({ label: "New group", why: whyNotAct(state.session, "make groups"), onClick: () => this.askForGroup() })}
        </div>
      </header>
      <p class="lead">Choose a version for a group, or drag a device from one group to another. ${mapLegend()}</p>
      <div class="group-cards">
        ${repeat(
          groupsOf(state),
          ({ name }) => name,
          (group) => this.renderGroup(state, group, signature),
        )}
      </div>
    `;
  }

  private renderGroup(state: FleetState, group: Group, signature: string): TemplateResult {
    const devices = devicesOf(state, group.name);
    const target = group.targets[DEFAULT_MODEL];
    const mayMove = whyNotAct(state.session, "move devices") === null;
    return html`<section
      class="card group-card ${this.over === group.name ? "over" : ""}"
      id=${group.name}
      aria-labelledby="group-${group.name}"
      @dragover=${mayMove ? (event: DragEvent) => this.dragOver(event, group.name) : nothing}
      @dragleave=${() => (this.over = "")}
      @drop=${mayMove ? (event: DragEvent) => this.drop(event, state, group.name) : nothing}
    >
      <header class="group-head">
        <h2 id="group-${group.name}"><a href="/groups/${group.name}">${group.name}</a></h2>
        <p class="muted">
          ${devices.length} devices, ${group.devices_online} online. Target
          ${target ? html`<a href="/deployments/${target.deployment_id}"><strong>${target.version}</strong></a> since <time-ago at=${target.since}></time-ago>` : "none"}
        </p>
      </header>
      ${versionStrip(versionsInUse(devices))}
      <fleet-map .devices=${devices} group=${group.name} ?draggable-devices=${mayMove}></fleet-map>
      <p class="standing" role="status">${standingInWords(devices)}</p>
      <assign-form
        .store=${this.store}
        group=${group.name}
        signature="${signature} ${target?.version ?? ""} ${state.session?.role ?? ""}"
      ></assign-form>
    </section>`;
  }

  private dragOver(event: DragEvent, group: string): void {
    if (!event.dataTransfer?.types.includes(DRAGGED)) return;
    event.preventDefault();
    this.over = group;
  }

  private drop(event: DragEvent, state: FleetState, to: string): void {
    event.preventDefault();
    this.over = "";
    const device = state.devices[event.dataTransfer?.getData(DRAGGED) ?? ""];
    if (device && device.group !== to) askToMove(this, state, [device], to);
  }

  private askForGroup(): void {
    let name = "";
    ask(this, {
      title: "New group",
      body: () =>
        html`<label class="field"
          ><span>Name</span>
          <input
            required
            pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*"
            @input=${(event: InputEvent) => {
              name = (event.target as HTMLInputElement).value.trim();
            }}
          /><small class="muted">Letters, digits, ".", "_" and "-".</small></label
        >`,
      confirmLabel: () => "Create group",
      run: async () => `Group ${(await api.createGroup(name)).name} exists.`,
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "groups-page": GroupsPage;
  }
}
