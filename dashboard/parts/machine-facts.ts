// How a device itself is: heat, load, power, memory and disk, as it last told; what it did not tell is left out.
import type { Telemetry } from "@context-edge/protocol";
import { html, type TemplateResult } from "lit";
import { bytes } from "../format/numbers.ts";

export function machineFacts(telemetry: Telemetry): TemplateResult {
  const rows = factsOf(telemetry);
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
    <div>
      <dt>Read</dt>
      <dd><time-ago at=${telemetry.at}></time-ago></dd>
    </div>
  </dl>`;
}

/** @returns name and value of everything that is known */
export function factsOf(telemetry: Telemetry): [string, string][] {
  const hottest = Object.entries(telemetry.temperatures_c).toSorted(([, a], [, b]) => b - a)[0];
  const input = telemetry.power_mw["VDD_IN"] ?? telemetry.power_mw["POM_5V_IN"];
  const rows: [string, string | null][] = [
    ["GPU", share(telemetry.gpu_percent)],
    ["CPU", share(telemetry.cpu_percent)],
    ["Temperature", hottest ? `${hottest[1].toFixed(0)} °C (${hottest[0]})` : null],
    ["Power", input === undefined ? null : `${(input / 1_000).toFixed(1)} W`],
    ["Power mode", telemetry.power_mode],
    ["Throttled by its supply", telemetry.overcurrent_events === null ? null : `${telemetry.overcurrent_events} times`],
    ["Memory", ofTotal(telemetry.memory_available_bytes, telemetry.memory_total_bytes)],
    ["Models' disk", ofTotal(telemetry.disk_free_bytes, telemetry.disk_total_bytes)],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null);
}

const share = (percent: number | null) => (percent === null ? null : `${percent.toFixed(0)} %`);
const ofTotal = (free: number | null, total: number | null) =>
  free === null || total === null ? null : `${bytes(free)} of ${bytes(total)} free`;
