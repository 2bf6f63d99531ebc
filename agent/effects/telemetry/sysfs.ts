// What the kernel of a Jetson says of itself under /sys: GPU load and clock, heat, power rails, over-current events.
// Paths and units are NVIDIA's (L4T 32 to 39); never seen on hardware, so whatever is missing or unreadable is left out.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface Zone {
  /** As the kernel names it: `gpu-thermal`, `tj-thermal`. */
  type: string;
  celsius: number;
  /** The lowest temperature at which the kernel throttles or shuts down; null when it names none. */
  tripCelsius: number | null;
}

export interface Sysfs {
  gpuPercent: number | null;
  gpuClockHz: number | null;
  gpuMaxClockHz: number | null;
  zones: readonly Zone[];
  /** Milliwatts by rail. */
  powerMw: Record<string, number>;
  /** Since boot, all three counters together. */
  overcurrentEvents: number | null;
  /** nvpmodel's number of the mode: `0002`. */
  powerMode: string | null;
}

/** Names of the GPU's node in the device tree, by generation: Xavier, TX2, Orin, Thor, and the nodes of L4T 36 and later. */
const GPU_NODES: readonly string[] = ["gv11b", "gp10b", "ga10b", "gb10b", "gpu"];
const OFFLINE_CELSIUS = -256;

/** @param root `/`, or the tree of a test */
export async function readSysfs(root = "/"): Promise<Sysfs> {
  const [gpu, zones, powerMw, overcurrentEvents, powerMode] = await Promise.all([
    readGpu(join(root, "sys/class/devfreq")),
    readZones(join(root, "sys/class/thermal")),
    readPower(join(root, "sys/bus/i2c/devices")),
    readOvercurrent(join(root, "sys/class/hwmon")),
    text(join(root, "var/lib/nvpmodel/status")),
  ]);
  return { ...gpu, zones, powerMw, overcurrentEvents, powerMode: /pmode:(\w+)/.exec(powerMode ?? "")?.[1] ?? null };
}

async function readGpu(devfreq: string): Promise<Pick<Sysfs, "gpuPercent" | "gpuClockHz" | "gpuMaxClockHz">> {
  for (const name of await names(devfreq)) {
    const device = join(devfreq, name);
    // A container is not shown the device tree, which the link leads into; `17000000.ga10b` ends in the same name.
    const node = (await text(join(device, "device/of_node/name"))) ?? name.slice(name.lastIndexOf(".") + 1);
    if (!GPU_NODES.includes(node)) continue;
    const [load, clock, max] = await Promise.all([
      // Beside the device, not beside its governor; in tenths of a percent.
      number(join(device, "device/load")),
      number(join(device, "cur_freq")),
      number(join(device, "max_freq")),
    ]);
    return { gpuPercent: load === null ? null : clamp(load / 10), gpuClockHz: clock, gpuMaxClockHz: max };
  }
  return { gpuPercent: null, gpuClockHz: null, gpuMaxClockHz: null };
}

async function readZones(thermal: string): Promise<Zone[]> {
  const found = (await names(thermal)).filter((name) => name.startsWith("thermal_zone"));
  const zones = await Promise.all(found.map((name) => readZone(join(thermal, name))));
  return zones.filter((zone) => zone !== null);
}

/** A zone whose unit is switched off cannot be read, or reads -256 °C. */
async function readZone(zone: string): Promise<Zone | null> {
  const [type, milli] = await Promise.all([text(join(zone, "type")), number(join(zone, "temp"))]);
  if (type === null || milli === null || milli / 1_000 <= OFFLINE_CELSIUS) return null;
  return { type: type.slice(0, 64), celsius: milli / 1_000, tripCelsius: await lowestTrip(zone) };
}

async function lowestTrip(zone: string): Promise<number | null> {
  const trips: number[] = [];
  for (const name of await names(zone)) {
    const index = /^trip_point_(\d+)_type$/.exec(name)?.[1];
    if (index === undefined) continue;
    const kind = await text(join(zone, name));
    const milli = await number(join(zone, `trip_point_${index}_temp`));
    // `active` and `passive` trips only turn fans and governors; a trip at 0 °C or less is one that is not set.
    if (milli !== null && milli > 0 && (kind === "critical" || kind === "hot")) trips.push(milli / 1_000);
  }
  return trips.length === 0 ? null : Math.min(...trips);
}

/** ina3221 sensors: labelled rails in millivolts and milliamperes. */
async function readPower(i2c: string): Promise<Record<string, number>> {
  const power: Record<string, number> = {};
  for (const device of await names(i2c)) {
    for (const monitor of await names(join(i2c, device, "hwmon"))) {
      const base = join(i2c, device, "hwmon", monitor);
      for (const rail of ["1", "2", "3"]) {
        const [label, millivolts, milliamperes] = await Promise.all([
          text(join(base, `in${rail}_label`)),
          number(join(base, `in${rail}_input`)),
          number(join(base, `curr${rail}_input`)),
        ]);
        if (label === null || millivolts === null || milliamperes === null) continue;
        power[label.slice(0, 64)] = Math.round((millivolts * milliamperes) / 1_000);
      }
    }
  }
  return power;
}

async function readOvercurrent(hwmon: string): Promise<number | null> {
  for (const name of await names(hwmon)) {
    const base = join(hwmon, name);
    if ((await text(join(base, "name"))) !== "soctherm_oc") continue;
    const counts = await Promise.all(["1", "2", "3"].map((oc) => number(join(base, `oc${oc}_event_cnt`))));
    const known = counts.filter((count) => count !== null);
    return known.length === 0 ? null : known.reduce((sum, count) => sum + count, 0);
  }
  return null;
}

async function names(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

async function text(path: string): Promise<string | null> {
  const content = await readFile(path, "utf8").catch(() => null);
  return content === null ? null : content.replaceAll("\0", " ").trim();
}

async function number(path: string): Promise<number | null> {
  const content = await text(path);
  const value = content === null || content === "" ? Number.NaN : Number(content);
  return Number.isFinite(value) ? value : null;
}

const clamp = (percent: number) => Math.min(100, Math.max(0, percent));
