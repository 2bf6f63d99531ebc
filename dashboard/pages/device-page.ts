// One device: what it runs, why, since when, how its attempts went, how it was over time, and what can be done about it.
import { DEFAULT_MODEL, type Device, webLink } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { absolute } from "../format/time.ts";
import { whyNotAct, whyNotDecommission, whyNotRetryDevice } from "../live/allowed.ts";
import { waitsForWave } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { actionButton } from "../parts/action-button.ts";
import "../parts/attempt-history.ts";
import "../parts/cluster-troubles.ts";
import { askToSteer } from "../parts/deployment-questions.ts";
import { askToDecommission, askToPin, askToUnpin } from "../parts/device-questions.ts";
import { inventoryCard, sinceCard, slotsCard } from "../parts/device-cards.ts";
import "../parts/device-charts.ts";
import { deviceProgress } from "../parts/device-progress.ts";
import { askToHold, askToRelease } from "../parts/hold-questions.ts";
import { machineFacts } from "../parts/machine-facts.ts";
import { badge, standingBadge } from "../parts/tones.ts";
import { PageElement } from "./page-element.ts";

@customElement("device-page")
export class DevicePage extends PageElement {
  @property() deviceId = "";

  protected override page(state: FleetState): TemplateResult {
    const device = state.devices[this.deviceId];
    if (!device)
      return html`<h1>${this.deviceId}</h1>
        <p>There is no such device. <a href="/devices">See all devices</a>.</p>`;
    const model = device.models[DEFAULT_MODEL];
    return html`
      <p class="crumbs"><a href="/devices">Devices</a> /</p>
      <header class="page-head">
        <h1>
          ${device.id} ${standingBadge(device, DEFAULT_MODEL, waitsForWave(state, device))}
          ${device.online ? nothing : badge("quiet", device.dead ? "Dead" : "Offline")}
          ${device.pinned ? badge("busy", "Pinned") : nothing}
        </h1>
        <div class="actions">${this.renderActions(state, device)}</div>
      </header>
      <p class="lead">
        Runs
        <strong>${model?.current?.version ?? "nothing"}</strong>
        ${model?.current_since ? html`since <time-ago at=${model.current_since}></time-ago>` : nothing};
        ${
          device.pinned
            ? html`pinned to ${model?.target?.version ?? "a version"}, away from
                <a href="/groups/${device.home_group ?? ""}">${device.home_group ?? "its group"}</a>`
            : html`group <a href="/groups/${device.group}">${device.group}</a> wants
                ${model?.target ? html`<a href="/deployments/${model.target.deployment_id}">${model.target.version}</a>` : "nothing"}`
        }.
        Last heard of <time-ago at=${device.last_seen ?? ""}></time-ago>.
      </p>
      ${notices(device)}
      <cluster-note device=${device.id}></cluster-note>
      ${
        model?.attempt
          ? html`<section aria-labelledby="now">
              <h2 id="now">Attempt under way</h2>
              ${deviceProgress(device, null)}
            </section>`
          : nothing
      }
      <div class="columns wide-left">
        <div>
          <section class="card" aria-labelledby="over-time">
            <h2 id="over-time">Over time</h2>
            <device-charts device=${device.id}></device-charts>
          </section>
          <section aria-labelledby="attempts">
            <h2 id="attempts">Attempts</h2>
            <attempt-history device=${device.id} newest=${model?.last_outcome?.at ?? ""}></attempt-history>
          </section>
        </div>
        <aside>
          ${slotsCard(model)} ${sinceCard(model)}
          ${
            device.telemetry
              ? html`<section class="card">
                  <h2>Machine</h2>
                  ${machineFacts(device.telemetry)}
                </section>`
              : nothing
          }
          ${inventoryCard(device)}
        </aside>
      </div>
    `;
  }

  private renderActions(state: FleetState, device: Device): TemplateResult {
    const whyNever = whyNotAct(state.session, "hold a device");
    const deployment = state.deployments[device.models[DEFAULT_MODEL]?.target?.deployment_id ?? ""];
    const link = webLink(device.status_url);
    return html`
      ${link ? html`<a class="button" href=${link} target="_blank" rel="noreferrer">Its own status page</a>` : nothing}
      ${actionButton({
        label: "Retry",
        why: whyNotAct(state.session, "retry") ?? whyNotRetryDevice(device, deployment),
        onClick: () => deployment && askToSteer(this, state, deployment, "retry"),
      })}
      ${
        device.hold
          ? actionButton({ label: "End the hold", why: whyNever, onClick: () => askToRelease(this, device) })
          : actionButton({ label: "Hold", why: whyNever, onClick: () => askToHold(this, device) })
      }
      ${
        device.pinned
          ? actionButton({ label: "Unpin", why: whyNever, onClick: () => askToUnpin(this, state, device) })
          : actionButton({ label: "Pin to a version", why: whyNever, onClick: () => askToPin(this, state, device) })
      }
      ${actionButton({
        label: "Decommission",
        tone: "danger",
        why: whyNotDecommission(state.session),
        onClick: () => askToDecommission(this, device),
      })}
    `;
  }
}

/** What keeps it from changing, and what troubles it. */
function notices(device: Device): TemplateResult {
  const { hold, trouble } = device;
  const waiting = device.models[DEFAULT_MODEL]?.waiting;
  return html`
    ${
      trouble
        ? html`<p class="callout bad">
            <strong>${trouble.message}</strong> ${trouble.next_step} <code>${trouble.code}</code>
          </p>`
        : nothing
    }
    ${
      hold
        ? html`<p class="callout warn">
            Held until ${absolute(hold.until)}: ${hold.reason || "no reason was given"}. Nothing is installed before
            that.
          </p>`
        : nothing
    }
    ${
      waiting && waiting.for !== "hold"
        ? html`<p class="callout">${waiting.message}${waiting.until ? `, until ${absolute(waiting.until)}` : ""}.</p>`
        : nothing
    }
  `;
}

declare global {
  interface HTMLElementTagNameMap {
    "device-page": DevicePage;
  }
}
