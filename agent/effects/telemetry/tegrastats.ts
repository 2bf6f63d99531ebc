// One line of NVIDIA's tegrastats, as its many releases print it. Formats from L4T 28 to 39; never seen on hardware.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface Tegrastats {
  ramUsedBytes: number | null;
  ramTotalBytes: number | null;
  /** By core; null: the core is off. */
  cpuPercent: readonly (number | null)[];
  gpuPercent: number | null;
  gpuClockMhz: readonly number[];
  /** Degrees Celsius by zone; zones that are off (-256) are left out. */
  temperaturesC: Record<string, number>;
  /** Milliwatts now, by rail. */
  powerMw: Record<string, number>;
}

const UNIT_BYTES: Readonly<Record<string, number>> = { kB: 1_024, MB: 1_024 ** 2, GB: 1_024 ** 3 };
const GPU = /GR3D(?:_FREQ)? (?:(?<percent>\d+)%)?(?:@(?:\[(?<clocks>[\d,]+)\]|(?<clock>\d+)))?/;
/** `CPU@23.5C`, `thermal@23C`, `cpu@52.968C/52.968C`; the last is the maximum. */
const TEMPERATURE = /(?<zone>[A-Za-z][\w.-]*)@(?<celsius>-?\d+(?:\.\d+)?)C\b/g;
/** `POM_5V_IN 933/933`, `VDD_IN 12479mW/12479mW`, `GPU 1155/1155`: now, average, and since L4T 38 the maximum. */
const POWER = /(?<rail>[A-Za-z]\w*) (?<now>\d+)(?:mW)?\/\d+(?:mW)?(?:\/\d+(?:mW)?)?(?![\w/])/g;

/** @returns null when the line holds nothing that tegrastats prints */
export function parseTegrastats(line: string): Tegrastats | null {
  const ram = /\bRAM (\d+)\/(\d+)(kB|MB|GB)\b/.exec(line);
  const gpu = GPU.exec(line)?.groups;
  const cpu = /\bcpu \[([^\]]*)\]/i.exec(line)?.[1];
  if (!ram && !gpu && cpu === undefined) return null;
  const unit = UNIT_BYTES[ram?.[3] ?? "MB"] ?? 1;
  return {
    ramUsedBytes: ram ? Number(ram[1]) * unit : null,
    ramTotalBytes: ram ? Number(ram[2]) * unit : null,
    cpuPercent: (cpu ?? "")
      .split(",")
      .filter((core) => core.trim() !== "")
      .map(coreLoad),
    gpuPercent: gpu?.["percent"] === undefined ? null : Number(gpu["percent"]),
    gpuClockMhz: (gpu?.["clocks"] ?? gpu?.["clock"] ?? "")
      .split(",")
      .filter((clock) => clock !== "")
      .map(Number),
    temperaturesC: temperatures(line),
    powerMw: powers(line),
  };
}

/** `12%@102`, `12%`, `off` */
function coreLoad(core: string): number | null {
  const percent = /^\s*(\d+)%/.exec(core)?.[1];
  return percent === undefined ? null : Number(percent);
}

function temperatures(line: string): Record<string, number> {
  const zones: Record<string, number> = {};
  for (const { groups } of line.matchAll(TEMPERATURE)) {
    const celsius = Number(groups?.["celsius"]);
    if (celsius > -256) zones[groups?.["zone"] ?? ""] = celsius;
  }
  return zones;
}

function powers(line: string): Record<string, number> {
  const rails: Record<string, number> = {};
  for (const { groups } of line.matchAll(POWER)) {
    const rail = groups?.["rail"] ?? "";
    // Memory is printed in the same form, with a unit of its own behind it.
    if (rail !== "RAM" && rail !== "SWAP" && rail !== "IRAM") rails[rail] = Number(groups?.["now"]);
  }
  return rails;
}

const FIRST_LINE_MS = 4_000;

/** Starts tegrastats, takes its first line and ends it. @returns null when it is not there or says nothing in time */
export async function readTegrastatsOnce(program = "tegrastats"): Promise<Tegrastats | null> {
  const child = spawn(program, ["--interval", "1000"], {
    stdio: ["ignore", "pipe", "ignore"],
    signal: AbortSignal.timeout(FIRST_LINE_MS),
    killSignal: "SIGKILL",
  });
  const line = await new Promise<string | null>((resolve) => {
    child.once("error", () => resolve(null));
    const lines = createInterface({ input: child.stdout });
    lines.once("line", resolve);
    lines.once("close", () => resolve(null));
  });
  child.kill("SIGTERM");
  return line === null ? null : parseTegrastats(line);
}
