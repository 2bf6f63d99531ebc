// What needs a decision now, what is under way, and the fleet at a glance: which group runs what, and how every device stands.
import { DEFAULT_MODEL, type Deployment } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { percent, percentWithDelta, plural } from "../format/numbers.ts";
import { type Decision, decisionsOf, underWay } from "../live/decisions.ts";
import { versionsInUse } from "../live/in-use.ts";
import { devicesOf, groupsOf, namesOf, troubleInWords } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import "../parts/cluster-troubles.ts";
import "../parts/fleet-map.ts";
import "../parts/hub-notice.ts";
import { mapLegend } from "../parts/map-legend.ts";
import { progressBar } from "../parts/progress-bar.ts";
import { badge, deploymentBadge, deploymentWords, DEPLOYMENT_TONE, type Tone } from "../parts/tones.ts";
import { versionStrip } from "../parts/version-strip.ts";
import { PageElement } from "./page-element.ts";

@customElement("overview-page")
export class OverviewPage extends PageElement {
  protected override page(state: FleetState): TemplateResult {
    const decisions = decisionsOf(state);
    const moving = underWay(state);
    return html`
      <h1>Overview</h1>
      <hub-notice></hub-notice>
      ${figures(state)}
      <section aria-labelledby="decisions">
        <h2 id="decisions">Needs a decision</h2>
        ${
          decisions.length > 0
            ? html`<div class="card rows">${repeat(decisions, ({ key }) => key, decisionRow)}</div>`
            : html`<p class="card quiet-card">Nothing is waiting for you.</p>`
        }
      </section>
      ${
        moving.length > 0
          ? html`<section aria-labelledby="moving">
              <h2 id="moving">Under way</h2>
              <div class="card rows">${repeat(moving, ({ id }) => id, movingRow)}</div>
            </section>`
          : nothing
      }
      <cluster-troubles></cluster-troubles>
      <section aria-labelledby="fleet">
        <div class="section-head">
          <h2 id="fleet">Fleet</h2>
          ${mapLegend()}
        </div>
        <div class="groups-map">
          ${repeat(
            groupsOf(state),
            ({ name }) => name,
            ({ name }) => groupCard(state, name),
          )}
        </div>
      </section>
    `;
  }
}

function figures(state: FleetState): TemplateResult {
  const devices = devicesOf(state);
  const online = devices.filter((device) => device.online).length;
  const inSync = devices.filter((device) => device.sync === "in-sync").length;
  const inUse = versionsInUse(devices);
  return html`<dl class="glance">
    <div class="card">
      <dt>Devices online</dt>
      <dd>${online}<small> of ${devices.length}</small></dd>
    </div>
    <div class="card">
      <dt>In sync with their target</dt>
      <dd>
        ${devices.length === 0 ? "–" : percent(inSync / devices.length)}<small> ${inSync} of ${devices.length}</small>
      </dd>
    </div>
    <div class="card wide">
      <dt>Versions in use</dt>
      <dd>${versionStrip(inUse, "all")}</dd>
    </div>
  </dl>`;
}

interface Row {
  tone: Tone;
  head: TemplateResult;
  words: string | TemplateResult;
  path: string;
  label: string;
  /** Where the label alone does not say where it leads. */
  name?: string;
  primary?: boolean;
}

function row({ tone, head, words, path, label, name, primary }: Row): TemplateResult {
  return html`<article class="row ${tone}">
    <div>
      <p class="row-head">${head}</p>
      <div class="muted">${words}</div>
    </div>
    <a class="button ${primary ? "primary" : ""}" href=${path} aria-label=${name ?? nothing}>${label}</a>
  </article>`;
}

function decisionRow(decision: Decision): TemplateResult {
  switch (decision.is) {
    case "halted":
      return row({ ...ofDeployment(decision.deployment), label: "Look into it" });
    case "passed":
      return row({ ...ofDeployment(decision.deployment), label: "Decide", primary: true });
    case "review": {
      const { version_id: id, accuracy, accuracy_delta: delta } = decision.version;
      return row({
        tone: "busy",
        head: html`${badge("busy", "To review")} <strong>New model ${id} ready for review</strong>`,
        words: html`accuracy ${percentWithDelta(accuracy, delta)}, registered
          <time-ago at=${decision.version.registered_at}></time-ago>`,
        path: `/models/${id}`,
        label: "Review",
        name: `Review ${id}`,
        primary: true,
      });
    }
    case "trouble":
      return row({
        tone: "bad",
        head: html`${badge("bad", "In trouble")} <strong>${decision.device.id}</strong>`,
        words: troubleInWords(decision.device),
        path: `/devices/${decision.device.id}`,
        label: "See device",
        name: `See ${decision.device.id}`,
      });
    case "more-trouble":
      return row({
        tone: "bad",
        head: html`<strong>${plural(decision.count, "more device")} in trouble</strong>`,
        words: "The worst are above.",
        path: "/devices?sync=failed",
        label: "See devices",
        name: "See the devices in trouble",
      });
    case "offline":
      return row({
        tone: "quiet",
        head: html`${badge("quiet", "Offline")} <strong>${plural(decision.devices.length, "device")}</strong>`,
        words: namesOf(decision.devices),
        path: "/devices?online=no",
        label: "See devices",
        name: "See the devices that are offline",
      });
  }
}

function ofDeployment(deployment: Deployment): Omit<Row, "label"> {
  const { id, version, groups, state, state_reason: why } = deployment;
  return {
    tone: DEPLOYMENT_TONE[state],
    head: html`${deploymentBadge(deployment)} <strong>${version}</strong> on ${groups.join(", ")}`,
    words: why,
    path: `/deployments/${id}`,
    name: `${deploymentWords(deployment)}: ${version} on ${groups.join(", ")}`,
  };
}

function movingRow(deployment: Deployment): TemplateResult {
  const { words, ...rest } = ofDeployment(deployment);
  return row({ ...rest, words: html`${words}${progressBar(deployment.progress)}`, label: "Watch" });
}

function groupCard(state: FleetState, name: string): TemplateResult {
  const devices = devicesOf(state, name);
  const target = state.groups[name]?.targets[DEFAULT_MODEL]?.version;
  return html`<article class="card group-map">
    <header>
      <h3><a href="/groups/${name}">${name}</a></h3>
      <span class="muted">${devices.length} · ${target ? html`target <strong>${target}</strong>` : "no target"}</span>
    </header>
    ${versionStrip(versionsInUse(devices))}
    <fleet-map .devices=${devices} group=${name}></fleet-map>
  </article>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "overview-page": OverviewPage;
  }
}
