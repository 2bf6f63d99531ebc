// One device: what it runs, why, since when, how the last attempt went, and where its own page is.
import { DEFAULT_MODEL, type Device, type Installed, webLink } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { bytes, count, milliseconds, shortDigest } from "../format/numbers.ts";
import { absolute } from "../format/time.ts";
import { whyNotAct } from "../live/allowed.ts";
import type { FleetState } from "../live/state.ts";
import { actionButton } from "../parts/action-button.ts";
import { deviceProgress } from "../parts/device-progress.ts";
import { askToHold, askToRelease } from "../parts/hold-questions.ts";
import { machineFacts } from "../parts/machine-facts.ts";
import { badge, SYNC_TONE, SYNC_WORDS } from "../parts/tones.ts";
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
    const link = webLink(device.status_url);
    const whyNever = whyNotAct(state.session, "hold a device");
    return html`
      <p class="crumbs"><a href="/devices">Devices</a> /</p>
      <header class="page-head">
        <h1>
          ${device.id} ${badge(SYNC_TONE[device.sync], SYNC_WORDS[device.sync])}
          ${device.online ? nothing : badge("quiet", "Offline")}
        </h1>
        <div class="actions">
          ${
            device.hold
              ? actionButton({ label: "End the hold", why: whyNever, onClick: () => askToRelease(this, device) })
              : actionButton({ label: "Hold", why: whyNever, onClick: () => askToHold(this, device) })
          }
          ${link ? html`<a class="button" href=${link} target="_blank" rel="noreferrer">Its own status page</a>` : nothing}
        </div>
      </header>
      <p class="lead">
        Runs <strong>${model?.current?.version ?? "nothing"}</strong>
        ${model?.current_since ? html`since <time-ago at=${model.current_since}></time-ago>` : nothing}; group
        <a href="/groups#${device.group}">${device.group}</a> wants
        ${model?.target ? html`<a href="/deployments/${model.target.deployment_id}">${model.target.version}</a>` : "nothing"}.
        Last heard of <time-ago at=${device.last_seen ?? ""}></time-ago>.
      </p>
      ${
        device.hold
          ? html`<p class="callout warn">
              Held until ${absolute(device.hold.until)}: ${device.hold.reason || "no reason was given"}. Nothing is
              installed before that.
            </p>`
          : nothing
      }
      ${
        model?.waiting && model.waiting.for !== "hold"
          ? html`<p class="callout">
              ${model.waiting.message}${model.waiting.until ? `, until ${absolute(model.waiting.until)}` : ""}.
            </p>`
          : nothing
      }
      <section aria-labelledby="last">
        <h2 id="last">${model?.attempt ? "Attempt under way" : "Last attempt"}</h2>
        ${deviceProgress(device, null)}
      </section>
      <div class="columns">
        <section class="card">
          <h2>Slots</h2>
          <dl class="facts">
            <div>
              <dt>Current</dt>
              <dd>${installed(model?.current)}</dd>
            </div>
            <div>
              <dt>Backup</dt>
              <dd>${installed(model?.backup)}</dd>
            </div>
          </dl>
        </section>
        <section class="card">
          <h2>Since activation</h2>
          ${
            model?.stats
              ? html`<dl class="facts">
                  <div>
                    <dt>Predictions</dt>
                    <dd>${count(model.stats.predictions)}</dd>
                  </div>
                  <div>
                    <dt>Errors</dt>
                    <dd>${count(model.stats.errors)}</dd>
                  </div>
                  <div>
                    <dt>Average inference time</dt>
                    <dd>${milliseconds(model.stats.avg_ms)}</dd>
                  </div>
                  <div>
                    <dt>Counting since</dt>
                    <dd><time-ago at=${model.stats.since}></time-ago></dd>
                  </div>
                </dl>`
              : html`<p class="muted">No statistics were reported.</p>`
          }
        </section>
        ${
          device.telemetry
            ? html`<section class="card">
                <h2>Machine</h2>
                ${machineFacts(device.telemetry)}
              </section>`
            : nothing
        }
        <section class="card">
          <h2>Inventory</h2>
          ${inventory(device)}
        </section>
      </div>
    `;
  }
}

function installed(slot: Installed | null | undefined): TemplateResult {
  return slot ? html`${slot.version} <code title=${slot.digest}>${shortDigest(slot.digest)}</code>` : html`empty`;
}

function inventory({ inventory: found, enrolled_at }: Device): TemplateResult {
  const rows: [string, string | undefined][] = [
    ["Agent", found?.agent_version],
    ["Architecture", found?.arch],
    ["Host", found?.hostname],
    ["Module", found?.module],
    ["L4T", found?.l4t],
    ["JetPack", found?.jetpack],
    ["TensorRT", found?.tensorrt],
    ["Memory", found?.memory_bytes === undefined ? undefined : bytes(found.memory_bytes)],
  ];
  return html`<dl class="facts">
    ${rows.flatMap(([name, value]) =>
      value === undefined
        ? []
        : [
            html`<div>
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>`,
          ],
    )}
    <div>
      <dt>Enrolled</dt>
      <dd><time-ago at=${enrolled_at}></time-ago></dd>
    </div>
  </dl>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "device-page": DevicePage;
  }
}
