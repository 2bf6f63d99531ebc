// One group: its target and the targets it had, with one click back to any of them, and its devices, to be moved together.
import { DEFAULT_MODEL, type Deployment, type Device } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state as reactive } from "lit/decorators.js";
import { plural } from "../format/numbers.ts";
import { whyNotAct } from "../live/allowed.ts";
import { api } from "../live/client.ts";
import { versionsInUse } from "../live/in-use.ts";
import { attentionFirst, deploymentsOf, devicesOf, groupsOf, versionsOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { actionButton } from "../parts/action-button.ts";
import { ask } from "../parts/ask.ts";
import { askToAssign } from "../parts/assign-form.ts";
import { askToMove } from "../parts/device-questions.ts";
import { deviceLine } from "../parts/device-line.ts";
import "../parts/more-list.ts";
import { openPage } from "../parts/open-page.ts";
import { standingInWords } from "../parts/standing.ts";
import { deploymentBadge } from "../parts/tones.ts";
import { versionStrip } from "../parts/version-strip.ts";
import { PageElement } from "./page-element.ts";

const MOST_TARGETS = 12;

@customElement("group-page")
export class GroupPage extends PageElement {
  @property() group = "";
  @reactive() private selected: ReadonlySet<string> = new Set();

  protected override page(state: FleetState): TemplateResult {
    const group = state.groups[this.group];
    if (!group)
      return html`<h1>${this.group}</h1>
        <p>There is no such group. <a href="/groups">See all groups</a>.</p>`;
    const devices = devicesOf(state, group.name);
    const target = group.targets[DEFAULT_MODEL];
    const signature = `${versionsOf(state)
      .map(({ version_id: id, stage }) => `${id} ${stage}`)
      .join()} ${target?.version ?? ""} ${state.session?.role ?? ""}`;
    return html`
      <p class="crumbs"><a href="/groups">Groups</a> /</p>
      <header class="page-head">
        <h1>${group.name}</h1>
        <div class="actions">
          <assign-form .store=${this.store} group=${group.name} signature=${signature}></assign-form>
          ${actionButton({
            label: "Delete",
            tone: "danger",
            why:
              whyNotAct(state.session, "delete groups") ??
              (devices.length > 0 ? "Move its devices elsewhere first." : null),
            onClick: () => this.askToDelete(),
          })}
        </div>
      </header>
      <p class="lead">
        ${plural(devices.length, "device")}, ${group.devices_online} online. Target
        ${target ? html`<a href="/deployments/${target.deployment_id}"><strong>${target.version}</strong></a> since <time-ago at=${target.since}></time-ago>` : "none"}.
        ${standingInWords(devices)}
      </p>
      ${versionStrip(versionsInUse(devices))}
      <div class="columns wide-left">
        <section aria-labelledby="devices">
          <div class="section-head">
            <h2 id="devices">Devices</h2>
            ${devices.length > 0 ? this.renderMoving(state, devices) : nothing}
          </div>
          ${
            devices.length === 0
              ? html`<p class="card quiet-card">No devices. Move one here, or let one enrol into it.</p>`
              : html`<more-list
                  .items=${attentionFirst(devices)}
                  .keyOf=${(device: Device) => device.id}
                  .show=${(device: Device) => this.renderMember(state, device, target?.deployment_id ?? null)}
                  what="device"
                ></more-list>`
          }
        </section>
        <aside>${this.renderTargets(state)}</aside>
      </div>
    `;
  }

  private renderMember(state: FleetState, device: Device, deploymentId: string | null): TemplateResult {
    return html`<div class="member">
      <input
        type="checkbox"
        aria-label="Select ${device.id}"
        .checked=${this.selected.has(device.id)}
        @change=${(event: Event) => this.select([device.id], (event.target as HTMLInputElement).checked)}
      />
      ${deviceLine(state, device, deploymentId)}
    </div>`;
  }

  private select(ids: readonly string[], isIn: boolean): void {
    const next = new Set(this.selected);
    for (const id of ids) {
      if (isIn) next.add(id);
      else next.delete(id);
    }
    this.selected = next;
  }

  private renderMoving(state: FleetState, devices: readonly Device[]): TemplateResult {
    const chosen = devices.filter(({ id }) => this.selected.has(id));
    const why = whyNotAct(state.session, "move devices") ?? (chosen.length === 0 ? "Select devices first." : null);
    return html`<div class="moving">
      <label
        ><input
          type="checkbox"
          .checked=${chosen.length === devices.length}
          @change=${(event: Event) =>
            this.select(
              devices.map(({ id }) => id),
              (event.target as HTMLInputElement).checked,
            )}
        />
        ${chosen.length === 0 ? "Select all" : `${chosen.length} selected`}</label
      >
      <select
        aria-label="Move the selected devices to"
        ?disabled=${why !== null}
        title=${why ?? nothing}
        @change=${(event: Event) => this.move(event, state, chosen)}
      >
        <option value="">Move to …</option>
        ${groupsOf(state)
          .filter(({ name }) => name !== this.group)
          .map(({ name }) => html`<option value=${name}>${name}</option>`)}
      </select>
    </div>`;
  }

  private move(event: Event, state: FleetState, chosen: readonly Device[]): void {
    const select = event.target as HTMLSelectElement;
    const to = select.value;
    select.value = "";
    if (to !== "") askToMove(this, state, chosen, to, () => (this.selected = new Set()));
  }

  /** Newest first; each of them can be given back. */
  private renderTargets(state: FleetState): TemplateResult {
    const history = deploymentsOf(state).filter(({ shares }) => this.group in shares);
    const now = state.groups[this.group]?.targets[DEFAULT_MODEL]?.deployment_id;
    return html`<section class="card" aria-labelledby="targets">
      <h2 id="targets">Targets</h2>
      ${history.length === 0 ? html`<p class="muted">It never had one.</p>` : nothing}
      <ol class="plain targets">
        ${history.slice(0, MOST_TARGETS).map((deployment) => this.renderTarget(state, deployment, deployment.id === now))}
      </ol>
    </section>`;
  }

  private renderTarget(state: FleetState, deployment: Deployment, isNow: boolean) {
    const { id, version, created_at, created_by } = deployment;
    const record = state.versions[`${DEFAULT_MODEL}/${version}`];
    const why =
      whyNotAct(state.session, "deploy") ?? (record?.stage === "quarantined" ? `${version} is quarantined.` : null);
    return html`<li>
      <div>
        <a href="/deployments/${id}"><strong>${version}</strong></a>
        ${deploymentBadge(deployment)}
        <p class="muted"><time-ago at=${created_at}></time-ago> by ${created_by}</p>
      </div>
      ${
        isNow
          ? html`<span class="muted">now</span>`
          : html`<button
              class="small"
              ?disabled=${why !== null}
              title=${why ?? nothing}
              aria-label="Restore ${version}"
              @click=${() => askToAssign(this, this.store, this.group, version)}
            >
              Restore
            </button>`
      }
    </li>`;
  }

  private askToDelete(): void {
    ask(this, {
      title: `Delete ${this.group}?`,
      body: () => html`<p>No device is in it. Its history stays in the audit.</p>`,
      confirmLabel: () => "Delete group",
      danger: true,
      run: async () => {
        await api.deleteGroup(this.group);
        openPage("/groups");
        return `${this.group} is deleted.`;
      },
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "group-page": GroupPage;
  }
}
