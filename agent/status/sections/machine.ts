// The machine itself: disk, memory, load, heat, power and addresses, as last read; whatever could not be read says so.
import type { Telemetry } from "@context-edge/protocol";
import { instant } from "../../core/instant.ts";
import type { Tone } from "../../core/words.ts";
import type { StatusDocument } from "../document.ts";
import { bytesWords, clockTime, duration, timeZone } from "../format.ts";
import { bytesOf, html, type Piece, shareBar, timeTag } from "../markup.ts";

/** One figure with its bar. `share` is null where a bar would say nothing. */
interface Gauge {
  name: string;
  words: string;
  share: number | null;
  tone: Tone;
}

export function machineSection({ telemetry, at }: StatusDocument): Piece {
  if (!telemetry) {
    return [
      html`<section class="card" id="machine" data-live>
        <h2>Device</h2>
        <p class="soft">The sensors were not read yet.</p>
      </section>`,
    ];
  }
  return [
    html`<section class="card" id="machine" data-live>
      <h2>Device</h2>
      <dl class="gauges">
        ${gauges(telemetry).map(
          ({ name, words, share, tone }) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${words}${share === null ? [] : shareBar(share, tone)}</dd>
            </div>`,
        )}
      </dl>
      ${everything(telemetry)}
      <p class="soft">Read ${timeTag(telemetry.at, clockTime(telemetry.at, instant(at)))}.</p>
    </section>`,
  ];
}

const UNKNOWN = "not known";
/** Where the colour of a bar turns. */
const NEARLY_FULL = 0.9;
const FULL = 0.97;
const WARM_C = 85;
const HOT_C = 95;

function gauges(now: Telemetry): Gauge[] {
  const heat = Object.entries(now.temperatures_c).toSorted(([, a], [, b]) => b - a)[0];
  const watts = totalWatts(now.power_mw);
  const power = [watts === null ? "" : `${watts.toFixed(1)} W`, now.power_mode ?? ""].filter((part) => part !== "");
  return [
    filled("Disk of the models", now.disk_free_bytes, now.disk_total_bytes, "free"),
    filled("Memory", now.memory_available_bytes, now.memory_total_bytes, "available"),
    load("GPU", now.gpu_percent),
    load("CPU", now.cpu_percent),
    {
      name: "Temperature",
      words: heat ? `${heat[1].toFixed(0)} °C, the hottest: ${heat[0]}` : UNKNOWN,
      share: heat ? heat[1] / 110 : null,
      tone: toneAt(heat?.[1] ?? 0, WARM_C, HOT_C),
    },
    { name: "Power", words: power.join(", mode ") || UNKNOWN, share: null, tone: "quiet" },
    ...(now.overcurrent_events === null
      ? []
      : [
          {
            name: "Slowed by its power supply",
            words: timesSinceBoot(now.overcurrent_events),
            share: null,
            tone: "quiet" as const,
          },
        ]),
    {
      name: "Up for",
      words: now.uptime_s === null ? UNKNOWN : duration(now.uptime_s * 1_000),
      share: null,
      tone: "quiet",
    },
  ];
}

function filled(name: string, free: number | null, total: number | null, word: string): Gauge {
  if (free === null || total === null || total <= 0) {
    return { name, words: free === null ? UNKNOWN : `${bytesWords(free)} ${word}`, share: null, tone: "quiet" };
  }
  const share = 1 - free / total;
  return { name, words: `${bytesOf(free, total)} ${word}`, share, tone: toneAt(share, NEARLY_FULL, FULL) };
}

function load(name: string, percent: number | null): Gauge {
  const known = percent !== null;
  return {
    name,
    words: known ? `${percent.toFixed(0)} %` : UNKNOWN,
    share: known ? percent / 100 : null,
    tone: "busy",
  };
}

function toneAt(value: number, warn: number, bad: number): Tone {
  if (value >= bad) return "bad";
  return value >= warn ? "waiting" : "good";
}

/** The rail that feeds the module; without one, nothing: rails overlap, so a sum would count twice. */
function totalWatts(rails: Telemetry["power_mw"]): number | null {
  const total = rails["VDD_IN"] ?? rails["POM_5V_IN"];
  return total === undefined ? null : total / 1_000;
}

function timesSinceBoot(count: number): string {
  return count === 0 ? "never since its start" : `${count} times since its start: check the power supply`;
}

function everything({ temperatures_c: heat, power_mw: rails }: Telemetry): Piece {
  const rows = [
    ...Object.entries(heat).map(([zone, degrees]) => [zone, `${degrees.toFixed(1)} °C`] as const),
    ...Object.entries(rails).map(([rail, milliwatts]) => [rail, `${(milliwatts / 1_000).toFixed(2)} W`] as const),
  ];
  if (rows.length === 0) return [];
  return [
    html`<details id="sensors">
      <summary>Every sensor</summary>
      <dl class="small">
        ${rows.map(
          ([name, words]) =>
            html`<dt>${name}</dt>
              <dd>${words}</dd>`,
        )}
      </dl>
    </details>`,
  ];
}

export function networkSection({ telemetry }: StatusDocument): Piece {
  const network = telemetry?.network ?? [];
  const rows = network.map(
    ({ name, address, up }) =>
      html`<dt>${name}</dt>
        <dd>
          ${address === "" ? "no address" : [html`<code>${address}</code>`]}
          ${up ? "" : [html`<span class="pill bad">down</span>`]}
        </dd>`,
  );
  return [
    html`<section class="card" id="network" data-live>
      <h2>Network</h2>
      ${rows.length === 0 ? [html`<p class="soft">Its addresses are not known.</p>`] : [html`<dl>${rows}</dl>`]}
    </section>`,
  ];
}

export function aboutSection({ inventory, manifest_sequence: sequence, clock }: StatusDocument): Piece {
  const facts: [string, string | undefined][] = [
    ["Module", inventory.module ?? inventory.arch],
    ["JetPack", inventory.jetpack],
    ["L4T", inventory.l4t],
    ["TensorRT", inventory.tensorrt],
    ["Builds engines", inventory.engine_builder === undefined ? undefined : `with ${inventory.engine_builder}`],
    ["Host name", inventory.hostname],
    ["Agent", inventory.agent_version],
    ["Manifest", sequence === null ? "none yet" : `number ${sequence}`],
    ["Clock", clockTime(clock.at, NaN)],
    ["Time zone", timeZone()],
  ];
  return [
    html`<section class="card" id="about" data-live>
      <h2>About</h2>
      <dl>
        ${facts.map(([term, value]) =>
          value === undefined
            ? ""
            : html`<dt>${term}</dt>
                <dd>${value}</dd>`,
        )}
      </dl>
    </section>`,
  ];
}
