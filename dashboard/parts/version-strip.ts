// Which versions are in use, as one strip: the target in strong colour, others beside it, each with its number.
import { html, type TemplateResult } from "lit";
import { plural } from "../format/numbers.ts";

export interface InUse {
  version: string;
  devices: number;
  /** What they should run. */
  wanted: boolean;
}

/** More would be slivers that nobody can read. */
const MOST_SHOWN = 6;

/** @param of `all`: several versions are as wanted as each other, and each has a colour of its own. */
export function versionStrip(inUse: readonly InUse[], of: "group" | "all" = "group"): TemplateResult {
  const shown = inUse.slice(0, MOST_SHOWN);
  const rest = inUse.slice(MOST_SHOWN);
  const others = rest.reduce((sum, { devices }) => sum + devices, 0);
  const all: readonly InUse[] =
    others > 0 ? [...shown, { version: `${rest.length} more`, devices: others, wanted: false }] : shown;
  const words = all.map(({ version, devices }) => `${plural(devices, "device")} on ${version}`).join(", ");
  return html`<div class="strip ${of}" role="img" aria-label=${words || "nobody runs anything"}>
    ${all.map(
      ({ version, devices, wanted }) =>
        html`<span
          class=${wanted && of === "group" ? "good" : ""}
          style="flex-grow:${devices}"
          title="${version}: ${plural(devices, "device")}"
          ><b>${version}</b> ${devices}</span
        >`,
    )}
  </div>`;
}
