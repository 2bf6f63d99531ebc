// What stands still about a device: its two slots, its counters since activation, what kind of machine it is.
import type { Device, DeviceModel, Installed } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { bytes, count, milliseconds, plural, shortDigest } from "../format/numbers.ts";

export function slotsCard(model: DeviceModel | undefined): TemplateResult {
  return html`<section class="card">
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
  </section>`;
}

export function sinceCard(model: DeviceModel | undefined): TemplateResult {
  return html`<section class="card">
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
  </section>`;
}

function installed(slot: Installed | null | undefined): TemplateResult {
  if (!slot) return html`empty`;
  const { version, digest, engine } = slot;
  const built = engine
    ? html`<span class="muted"
        >engine built there for TensorRT ${engine.tensorrt},
        ${plural(Math.max(1, Math.round(engine.took_s / 60)), "minute")}</span
      >`
    : nothing;
  return html`${version} <code title=${digest}>${shortDigest(digest)}</code> ${built}`;
}

export function inventoryCard({ inventory: found, enrolled_at }: Device): TemplateResult {
  const rows: [string, string | undefined][] = [
    ["Agent", found?.agent_version],
    ["Architecture", found?.arch],
    ["Host", found?.hostname],
    ["Module", found?.module],
    ["L4T", found?.l4t],
    ["JetPack", found?.jetpack],
    ["TensorRT", found?.tensorrt],
    ["Builds engines", found?.engine_builder === undefined ? undefined : `with ${found.engine_builder}`],
    ["Memory", found?.memory_bytes === undefined ? undefined : bytes(found.memory_bytes)],
  ];
  return html`<section class="card">
    <h2>Inventory</h2>
    <dl class="facts">
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
    </dl>
  </section>`;
}
