// What this device is: processor, module, L4T and TensorRT, each only as far as the machine itself says so.
import { readFile } from "node:fs/promises";
import { arch, hostname, totalmem } from "node:os";
import type { Inventory } from "@context-edge/protocol";
import { runCommand } from "../run-command.ts";

export const AGENT_VERSION = "0.1.0";

/** Where Linux on Tegra keeps these; given by tests. */
export interface InventorySources {
  deviceTreeModel: string;
  deviceTreeCompatible: string;
  tegraRelease: string;
}

const JETSON: InventorySources = {
  deviceTreeModel: "/proc/device-tree/model",
  deviceTreeCompatible: "/proc/device-tree/compatible",
  tegraRelease: "/etc/nv_tegra_release",
};

/** GPU compute capability by SoC (NVIDIA's table of Jetson modules). */
const SM_OF_SOC: Record<string, string> = {
  tegra210: "5.3",
  tegra186: "6.2",
  tegra194: "7.2",
  tegra234: "8.7",
  tegra264: "11.0",
};

export async function takeInventory(sources: InventorySources = JETSON): Promise<Inventory> {
  const [model, compatible, release] = await Promise.all(
    [sources.deviceTreeModel, sources.deviceTreeCompatible, sources.tegraRelease].map(readText),
  );
  const soc = Object.keys(SM_OF_SOC).find((name) => compatible?.includes(name));
  const sm = soc === undefined ? undefined : SM_OF_SOC[soc];
  const l4t = l4tFrom(release ?? "");
  const tensorrt = soc === undefined ? undefined : await hostTensorRt();
  return {
    agent_version: AGENT_VERSION,
    arch: arch() === "x64" ? "x86_64" : arch(),
    hostname: hostname(),
    ...(model ? { module: model.slice(0, 128) } : {}),
    ...(sm === undefined ? {} : { sm }),
    ...(l4t === undefined ? {} : { l4t }),
    ...(tensorrt === undefined ? {} : { tensorrt }),
    memory_bytes: totalmem(),
  };
}

/** `# R35 (release), REVISION: 3.1, GCID: …` → `35.3.1` */
export function l4tFrom(release: string): string | undefined {
  const match = /^# R(\d+) \(release\), REVISION: ([\d.]+)/.exec(release);
  return match ? `${match[1]}.${match[2]}` : undefined;
}

/** `10.3.0.30-1+cuda12.5` → `10.3.0`. The host's; an inference container may hold another. */
export function tensorRtFrom(packageVersion: string): string | undefined {
  return /^(\d+\.\d+\.\d+)/.exec(packageVersion.trim())?.[1];
}

async function hostTensorRt(): Promise<string | undefined> {
  for (const name of ["libnvinfer10", "libnvinfer8"]) {
    const argv = ["dpkg-query", "-W", "-f=${Version}", name];
    const end = await runCommand(argv, { deadlineMs: 5_000, environment: {}, signal: new AbortController().signal });
    const version = end.exitCode === 0 ? tensorRtFrom(end.stdout) : undefined;
    if (version !== undefined) return version;
  }
  return undefined;
}

/** Device-tree strings end in NUL. */
async function readText(path: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text?.replaceAll("\0", " ").trim();
}
