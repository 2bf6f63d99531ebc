// Which devices a version has a file for, and whom it lacks: counted by module, worked out as the devices themselves will. Pure.
import { chooseVariant, type Device, type Version } from "@context-edge/protocol";

export interface Fits {
  total: number;
  fitting: number;
  /** Devices that have not said yet what they are. */
  unknown: number;
  /** By module: how many have no variant, and what they would need. */
  lacking: readonly { module: string; devices: readonly string[]; why: string }[];
  /** By digest of the variant: how many devices would choose it. */
  chosen: ReadonlyMap<string, number>;
}

export function fitsOf(version: Pick<Version, "variants">, devices: readonly Device[]): Fits {
  const chosen = new Map<string, number>();
  const lacking = new Map<string, { module: string; devices: string[]; why: string }>();
  let unknown = 0;
  for (const { id, inventory } of devices) {
    if (!inventory) {
      unknown += 1;
      continue;
    }
    const choice = chooseVariant(version.variants, inventory);
    if (choice.ok) {
      chosen.set(choice.variant.digest, (chosen.get(choice.variant.digest) ?? 0) + 1);
      continue;
    }
    const module = inventory.module ?? `${inventory.arch} host`;
    const entry = lacking.get(module) ?? { module, devices: [], why: choice.unmet };
    entry.devices.push(id);
    lacking.set(module, entry);
  }
  const fitting = [...chosen.values()].reduce((sum, count) => sum + count, 0);
  return {
    total: devices.length,
    fitting,
    unknown,
    lacking: [...lacking.values()].toSorted((a, b) => b.devices.length - a.devices.length),
    chosen,
  };
}

/** "fits 46 of 50; 4 NVIDIA Jetson Xavier NX have no variant" */
export function fitsInWords({ total, fitting, unknown, lacking }: Fits): string {
  if (total === 0) return "there is no device yet";
  const parts = [
    `fits ${fitting === total ? "all" : `${fitting} of`} ${total} ${total === 1 ? "device" : "devices"}`,
    ...lacking.map(
      ({ module, devices }) => `${devices.length} ${module} ${devices.length === 1 ? "has" : "have"} no variant`,
    ),
    ...(unknown > 0
      ? [`${unknown} ${unknown === 1 ? "has not said yet what it is" : "have not said yet what they are"}`]
      : []),
  ];
  return parts.join("; ");
}
