// Who is in the story: fifty devices in five groups, most of them Orins, four older ones.
import type { Character } from "./devices.ts";

export const ORIN = { module: "NVIDIA Jetson Orin NX", sm: "8.7", tensorrt: "10.3.0" };
export const XAVIER = { module: "NVIDIA Jetson Xavier NX", sm: "7.2", tensorrt: "8.5.2" };
export const GROUPS: readonly [string, number][] = [
  ["pilot", 5],
  ["line-1", 12],
  ["line-2", 12],
  ["line-3", 12],
  ["packaging", 9],
];
export const XAVIERS = new Set(["edge-047", "edge-048", "edge-049", "edge-050"]);

/** Mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** By device, its group. */
export function castInGroups(): Map<string, string> {
  const groupOf = new Map<string, string>();
  for (const [group, count] of GROUPS) {
    const first = groupOf.size + 1;
    for (let index = 0; index < count; index += 1) groupOf.set(`edge-${String(first + index).padStart(3, "0")}`, group);
  }
  return groupOf;
}

export function characterOf(id: string, random: () => number): Character {
  const isXavier = XAVIERS.has(id);
  return {
    id,
    random,
    pace: isXavier ? 14.2 : 8.1,
    inventory: {
      agent_version: "0.1.0",
      arch: "arm64",
      hostname: id,
      ...(isXavier ? { ...XAVIER, l4t: "35.4.1", jetpack: "5.1.2" } : { ...ORIN, l4t: "36.4.3", jetpack: "6.2" }),
      power_mode: "MAXN",
      memory_bytes: 16_000_000_000,
    },
  };
}
