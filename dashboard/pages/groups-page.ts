// The card's own gesture: choose a version for a group, confirm, and watch its devices move in place.
import { DEFAULT_MODEL, SyncState, type Device, type Group, type Version } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state as reactive } from "lit/decorators.js";
import { plural } from "../format/numbers.ts";
import { api } from "../live/client.ts";
import { whyNotAct, whyNotDeploy } from "../live/allowed.ts";
import { changeInWords, changingTo, devicesOf, groupsOf, namesOf, versionsOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { actionButton } from "../parts/action-button.ts";
import { ask } from "../parts/ask.ts";
import { deviceProgress } from "../parts/device-progress.ts";
import { badge, SYNC_TONE, SYNC_WORDS } from "../parts/tones.ts";
import { PageElement } from "./page-element.ts";

@customElement("groups-page")
export class GroupsPage extends PageElement {
  /** The version chosen in each card, until it is assigned. */
  @reactive() private chosen: Readonly<Record<string, string>> = {};

  protected override page(state: FleetState): TemplateResult {
    return html`
      <header class="page-head">
        <h1>Groups</h1>
        <div class="actions">
          ${actionButton({ label: "New group", why: whyNotAct(state.session, "make groups"), onClick: () => this.askForGroup() })}
        </div>
      </header>
      <div class="group-cards">${groupsOf(state).map((group) => this.renderGroup(state, group))}</div>
    `;
  }

  private renderGroup(state: FleetState, group: Group): TemplateResult {
    const devices = devicesOf(state, group.name);
    const target = group.targets[DEFAULT_MODEL];
    const versions = versionsOf(state).filter(({ stage }) => stage === "pending" || stage === "approved");
    const version = this.chosen[group.name] ?? "";
    const whyNever = whyNotAct(state.session, "deploy");
    return html`<section class="card" id=${group.name} aria-labelledby="group-${group.name}">
      <header class="group-head">
        <h2 id="group-${group.name}">${group.name}</h2>
        <p class="muted">
          ${plural(devices.length, "device")}, ${group.devices_online} online. Target
          ${target ? html`<a href="/deployments/${target.deployment_id}"><strong>${target.version}</strong></a> since <time-ago at=${target.since}></time-ago>` : "none"}
        </p>
        ${devices.length > 0 ? html`<p role="status">${standingInWords(devices)}</p>` : nothing}
        <form class="assign" @submit=${(event: SubmitEvent) => this.assign(event, state, group.name)}>
          <label>
            <span class="visually-hidden">Version for ${group.name}</span>
            <select
              aria-label="Version for ${group.name}"
              @change=${(event: Event) => {
                this.chosen = { ...this.chosen, [group.name]: (event.target as HTMLSelectElement).value };
              }}
            >
              <option value="" ?selected=${version === ""}>Choose a version …</option>
              ${versions.map(
                (one) =>
                  html`<option
                    value=${one.version_id}
                    ?selected=${version === one.version_id}
                    ?disabled=${whyNotDeploy(one) !== null}
                  >
                    ${one.version_id}${optionNote(one, target?.version)}
                  </option>`,
              )}
            </select>
          </label>
          <button
            class="primary"
            type="submit"
            ?disabled=${whyNever !== null || version === ""}
            title=${whyNever ?? (version === "" ? "Choose a version first." : "")}
          >
            Assign
          </button>
        </form>
      </header>
      ${devices.length === 0 ? html`<p class="muted">No devices. Move one here, or let one enrol into it.</p>` : nothing}
      ${devices.map(
        (device) =>
          html`<div class="member">
            ${deviceProgress(device, target?.deployment_id ?? null)}
            <label class="move"
              ><span class="visually-hidden">Group of ${device.id}</span>
              <select
                aria-label="Group of ${device.id}"
                ?disabled=${whyNever !== null}
                title=${whyNever ?? nothing}
                @change=${(event: Event) => this.askToMove(event, state, device.id, group.name)}
              >
                ${Object.keys(state.groups).map((name) => html`<option value=${name} ?selected=${name === group.name}>${name}</option>`)}
              </select>
            </label>
          </div>`,
      )}
    </section>`;
  }

  private assign(event: SubmitEvent, state: FleetState, group: string): void {
    event.preventDefault();
    const version = this.chosen[group];
    if (!version) return;
    const isPending = state.versions[`${DEFAULT_MODEL}/${version}`]?.stage === "pending";
    ask(this, {
      title: `Assign ${version} to ${group}?`,
      body: () =>
        html`<p>
            <strong>${changeInWords(devicesOf(this.store.state, group), version, group)}</strong>
            ${isPending ? "This approves the version in your name." : ""}
          </p>
          <p class="muted">${namesOf(changingTo(devicesOf(this.store.state, group), version))}</p>`,
      confirmLabel: () => `Assign ${version} to ${group}`,
      run: async () => {
        const deployment = await api.assign(group, version);
        this.chosen = { ...this.chosen, [group]: "" };
        return `${group} is told to run ${deployment.version}.`;
      },
    });
  }

  private askToMove(event: Event, state: FleetState, device: string, from: string): void {
    const select = event.target as HTMLSelectElement;
    const to = select.value;
    select.value = from;
    const target = state.groups[to]?.targets[DEFAULT_MODEL]?.version;
    const running = state.devices[device];
    ask(this, {
      title: `Move ${device} to ${to}?`,
      body: () =>
        html`<p>
          <strong
            >${target && running ? changeInWords([running], target, to) : `${to} has no target: the device keeps what it runs.`}</strong
          >
        </p>`,
      confirmLabel: () => `Move to ${to}`,
      run: async () => {
        await api.move(device, to);
        return `${device} is in ${to} now.`;
      },
    });
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
            @input=${(event: InputEvent) => {
              name = (event.target as HTMLInputElement).value.trim();
            }}
        /></label>`,
      confirmLabel: () => "Create group",
      run: async () => `Group ${(await api.createGroup(name)).name} exists.`,
    });
  }
}

function optionNote(version: Version, target: string | undefined): string {
  if (version.version_id === target) return " (target now)";
  if (whyNotDeploy(version) !== null) return " (unsigned)";
  return version.stage === "pending" ? " (pending)" : "";
}

/** `2 in sync, 1 pending`: what a screen reader is told as it changes. */
function standingInWords(devices: readonly Device[]): TemplateResult {
  const counts = Map.groupBy(devices, (device) => device.sync);
  const parts = SyncState.options.flatMap((sync) => {
    const count = counts.get(sync)?.length ?? 0;
    return count > 0 ? [badge(SYNC_TONE[sync], `${count} ${SYNC_WORDS[sync].toLowerCase()}`)] : [];
  });
  return html`${parts}`;
}

declare global {
  interface HTMLElementTagNameMap {
    "groups-page": GroupsPage;
  }
}
