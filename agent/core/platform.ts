// What a Jetson is, from what it says of itself: module, L4T, JetPack, TensorRT, compute capability. Tables of NVIDIA's release notes.
import { compareVersions } from "@context-edge/protocol";

/** GPU compute capability by system on chip. */
const SM_OF_SOC: Readonly<Record<string, string>> = {
  tegra210: "5.3",
  tegra186: "6.2",
  tegra194: "7.2",
  tegra234: "8.7",
  tegra264: "11.0",
};

interface Release {
  /** L4T from this version on, up to the next row of the same major. */
  l4t: string;
  jetpack: string;
  /** As the JetPack ships it; an inference container may hold another. */
  tensorrt: string;
}

const RELEASES: readonly Release[] = [
  { l4t: "32.6.1", jetpack: "4.6", tensorrt: "8.0.1" },
  { l4t: "32.7", jetpack: "4.6.1", tensorrt: "8.2.1" },
  { l4t: "35.1", jetpack: "5.x", tensorrt: "8.5.2" },
  { l4t: "36.3", jetpack: "6.0", tensorrt: "8.6.2" },
  { l4t: "36.4", jetpack: "6.1–6.2.2", tensorrt: "10.3.0" },
  { l4t: "38.0", jetpack: "7.0/7.1", tensorrt: "10.13" },
  { l4t: "39.2", jetpack: "7.2", tensorrt: "10.16.2" },
];

/** @param compatible `/proc/device-tree/compatible`: NUL-separated names, the chip's last */
export function smOf(compatible: string): string | undefined {
  return Object.entries(SM_OF_SOC).find(([soc]) => compatible.includes(soc))?.[1];
}

/** `# R35 (release), REVISION: 3.1, GCID: …` → `35.3.1` */
export function l4tFromRelease(text: string): string | undefined {
  const match = /^# R(\d+) \(release\), REVISION: ([\d.]+)/m.exec(text);
  return match ? `${match[1]}.${match[2]}` : undefined;
}

/** Version of the package nvidia-l4t-core: `36.5.0-20260115194252` → `36.5.0` */
export function l4tFromPackage(version: string): string | undefined {
  return /^(\d+\.\d+(?:\.\d+)?)(?:-|$)/.exec(version.trim())?.[1];
}

/** Version of libnvinfer: `10.3.0.30-1+cuda12.5` → `10.3.0.30` */
export function tensorRtFromPackage(version: string): string | undefined {
  return /^(\d+\.\d+\.\d+(?:\.\d+)?)/.exec(version.trim())?.[1];
}

/** @returns the JetPack that this L4T belongs to; undefined for one this agent does not know */
export function jetPackOf(l4t: string): string | undefined {
  return releaseOf(l4t)?.jetpack;
}

/** What the JetPack of this L4T ships, for words only: it is no proof of what the inference process has. */
export function usualTensorRt(l4t: string): string | undefined {
  return releaseOf(l4t)?.tensorrt;
}

function releaseOf(l4t: string): Release | undefined {
  const [major] = l4t.split(".");
  return RELEASES.findLast((row) => row.l4t.split(".")[0] === major && compareVersions(row.l4t, l4t) <= 0);
}

/** `nvpmodel -q`: `NV Power Mode: MAXN\n0`. */
export function powerModeFrom(text: string): string | undefined {
  return /NV Power Mode:\s*(\S+)/.exec(text)?.[1];
}
