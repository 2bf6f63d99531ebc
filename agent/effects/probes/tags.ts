// What figures depend on: compared before a ratio is drawn between two measurements.
import { readFile } from "node:fs/promises";

/** nvpmodel's own memory of the power mode: `pmode:0002 fmode:fanNull`. Absent on anything but a Jetson. */
const NVPMODEL_STATUS = "/var/lib/nvpmodel/status";

export async function powerTags(path = NVPMODEL_STATUS): Promise<Record<string, string>> {
  const status = await readFile(path, "utf8").catch(() => "");
  const mode = /pmode:(\w+)/.exec(status)?.[1];
  return mode === undefined ? {} : { power_mode: mode };
}
