// What needs a decision now, then the fleet at a glance: which group runs what, and how every device stands.
import { DEFAULT_MODEL, type Deployment } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { percentWithDelta, plural } from "../format/numbers.ts";
import {
  deploymentsOf,
  devicesInTrouble,
  devicesOf,
  groupsOf,
  isOpen,
  namesOf,
  troubleInWords,
  versionsOf,
} from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { progressBar } from "../parts/progress-bar.ts";
import { badge, DEPLOYMENT_TONE, DEPLOYMENT_WORDS, SYNC_TONE, SYNC_WORDS, type Tone } from "../parts/tones.ts";
import { PageElement } from "./page-element.ts";

const SHOWN_DEVICES = 5;

@customElement("overview-page")
export class OverviewPage extends PageElement {
  protected override page(state: FleetState): TemplateResult {
    const decisions = [
      ...deploymentDecisions(state),
      ...reviewDecisions(state),
      ...troubleDecisions(state),
      ...offlineDecision(state),
    ];
    const devices = devicesOf(state);
    const online = devices.filter((device) => device.online).length;
    const inSync = devices.filter((device) => device.sync === "in-sync").length;
    return html`
      <h1>Overview</h1>
      <p class="lead">${plural(devices.length, "device")}, ${online} online, ${inSync} in sync.</p>
      <section aria-labelledby="decisions">
        <h2 id="decisions">Needs a decision</h2>
        ${
          decisions.length > 0
            ? html`<div class="cards">${decisions}</div>`
            : html`<p class="card quiet-card">Nothing is waiting for you.</p>`
        }
      </section>
      <section aria-labelledby="fleet">
        <h2 id="fleet">Groups</h2>
        <div class="groups-map">${groupsOf(state).map((group) => this.renderGroup(state, group.name))}</div>
        <p class="legend">
          ${(["in-sync", "pending", "failed", "incompatible", "held", "unknown"] as const).map(
            (sync) => html`<span><i class="dot ${SYNC_TONE[sync]}"></i>${SYNC_WORDS[sync]}</span>`,
          )}
          <span><i class="dot quiet offline"></i>Offline</span>
        </p>
      </section>
    `;
  }

  private renderGroup(state: FleetState, name: string): TemplateResult {
    const group = state.groups[name];
    const devices = devicesOf(state, name);
    const target = group?.targets[DEFAULT_MODEL]?.version ?? "no target";
    const versions = Object.entries(group?.versions ?? {}).toSorted(([a], [b]) => a.localeCompare(b));
    return html`<article class="card group-map">
      <header>
        <h3><a href="/groups#${name}">${name}</a></h3>
        <span class="muted">target <strong>${target}</strong></span>
      </header>
      <div
        class="strip"
        role="img"
        aria-label=${versions.map(([version, count]) => `${count} on ${version}`).join(", ") || "empty"}
      >
        ${versions.map(
          ([version, count]) =>
            html`<span class=${version === target ? "good" : "other"} style="flex-grow:${count}"
              >${version} · ${count}</span
            >`,
        )}
      </div>
      <div class="tiles">
        ${devices.map(
          (device) =>
            html`<a
              class="tile ${SYNC_TONE[device.sync]} ${device.online ? "" : "offline"}"
              href="/devices/${device.id}"
              title="${device.id}: ${SYNC_WORDS[device.sync]}${device.online ? "" : ", offline"}"
              >${device.id.replace(/^edge-/, "")}</a
            >`,
        )}
        ${devices.length === 0 ? html`<span class="muted">No devices</span>` : nothing}
      </div>
    </article>`;
  }
}

function reviewDecisions(state: FleetState): TemplateResult[] {
  return versionsOf(state)
    .filter((version) => version.stage === "pending")
    .map(
      (version) =>
        html`<article class="card decision busy">
          <p>
            <strong>New model ${version.version_id} ready for review</strong>, accuracy
            ${percentWithDelta(version.accuracy, version.accuracy_delta)}
          </p>
          <a class="button primary" href="/models/${version.version_id}" aria-label="Review ${version.version_id}"
            >Review</a
          >
        </article>`,
    );
}

function deploymentDecisions(state: FleetState): TemplateResult[] {
  return deploymentsOf(state).filter(isOpen).map(deploymentCard);
}

function deploymentCard(deployment: Deployment): TemplateResult {
  const { id, version, state, state_reason: why } = deployment;
  const label = state === "awaiting-approval" ? "Deploy to all …" : state === "paused" ? "Look into it" : "Watch";
  return html`<article class="card decision ${DEPLOYMENT_TONE[state]}">
    <div>
      <p>
        ${badge(DEPLOYMENT_TONE[state], DEPLOYMENT_WORDS[state])} <strong>${version}</strong> on
        ${deployment.groups.join(", ")}
      </p>
      <p class="muted">${why}</p>
      ${progressBar(deployment.progress)}
    </div>
    <a class="button ${state === "awaiting-approval" ? "primary" : ""}" href="/deployments/${id}">${label}</a>
  </article>`;
}

/** Devices that say what troubles them, and those whose deployment went on without them. */
function troubleDecisions(state: FleetState): TemplateResult[] {
  const troubled = devicesInTrouble(state);
  const shown = troubled.slice(0, SHOWN_DEVICES).map(
    (device) =>
      html`<article class="card decision bad">
        <p><strong>${device.id}</strong> ${troubleInWords(device)}</p>
        <a class="button" href="/devices/${device.id}">See ${device.id}</a>
      </article>`,
  );
  const rest = troubled.length - shown.length;
  return rest > 0 ? [...shown, summaryCard("bad", `${plural(rest, "more device")} in trouble`)] : shown;
}

/** One card however many are away: an outage of a line must not push everything else off the page. */
function offlineDecision(state: FleetState): TemplateResult[] {
  const away = devicesOf(state).filter((device) => !device.online);
  if (away.length === 0) return [];
  const verb = away.length === 1 ? "is" : "are";
  return [summaryCard("quiet", `${plural(away.length, "device")} ${verb} offline: ${namesOf(away)}`)];
}

const summaryCard = (tone: Tone, words: string) =>
  html`<article class="card decision ${tone}">
    <p>${words}</p>
    <a class="button" href="/devices">See devices</a>
  </article>`;

declare global {
  interface HTMLElementTagNameMap {
    "overview-page": OverviewPage;
  }
}
