// What figures depend on: read before and after a timed run, and judged in core before a ratio is drawn.
import { readSysfs, type Sysfs } from "../telemetry/sysfs.ts";

/** Zones whose heat throttles the GPU, by the names of L4T 32 to 39. */
const JUNCTION = /^(tj|gpu|GPU)/;

/** @param root `/`, or the tree of a test */
export async function conditions(root = "/"): Promise<Sysfs> {
  return readSysfs(root);
}

/** @returns only what the machine says: anything but a Jetson says nothing */
export function tagsOf(before: Sysfs, after: Sysfs): Record<string, string> {
  const tags: Record<string, string> = {};
  // A mode that changed in the middle is neither the one nor the other.
  const modes = [...new Set([before.powerMode, after.powerMode])].filter((mode) => mode !== null);
  if (modes.length > 0) tags["power_mode"] = modes.join("→");
  const share = after.gpuClockHz !== null && after.gpuMaxClockHz ? after.gpuClockHz / after.gpuMaxClockHz : null;
  if (share !== null) tags["gpu_clock_share"] = share.toFixed(2);
  const junction = after.zones.filter(({ type }) => JUNCTION.test(type)).toSorted((a, b) => b.celsius - a.celsius)[0];
  if (junction) tags["junction_c"] = junction.celsius.toFixed(1);
  if (junction?.tripCelsius) tags["junction_trip_c"] = junction.tripCelsius.toFixed(1);
  if (before.overcurrentEvents !== null && after.overcurrentEvents !== null) {
    tags["overcurrent_events"] = String(after.overcurrentEvents - before.overcurrentEvents);
  }
  return tags;
}
