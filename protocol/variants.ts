// Which artifact of a version fits a device: every stated need must be met, and the most particular one wins.
// Device and hub compute it alike: the device chooses by it, the hub says before a deployment who has none.
import { type BuildRecipe, recipeLacks } from "./build.ts";
import { compareVersions, isSameRelease } from "./releases.ts";
import type { Inventory } from "./report.ts";
import { type Platform, statementSchemaOf, type Variant } from "./statement.ts";

const NEEDS = ["arch", "module", "sm", "tensorrt"] as const satisfies readonly (keyof Platform)[];
type Need = (typeof NEEDS)[number];

/** Node and Debian spell the same processors differently; builds state either. */
const ARCH_ALIASES: Record<string, string> = { aarch64: "arm64", x64: "x86_64", amd64: "x86_64" };
/** Where TensorRT's version compatibility and the hardware level `ampere+` begin. */
const COMPATIBLE_SINCE = "8.6";
const AMPERE = "8.0";

export type VariantChoice = { ok: true; variant: Variant } | { ok: false; unmet: string };

/** @returns the fitting variant with the most needs stated, or in words what no variant offers. */
export function chooseVariant(variants: readonly Variant[], inventory: Inventory): VariantChoice {
  if (statementSchemaOf(variants) > (inventory.statements ?? 1)) {
    return { ok: false, unmet: `an agent that understands build recipes (this device: ${inventory.agent_version})` };
  }
  const fitting = variants
    .filter((variant) => unmetOf(variant, inventory).length === 0)
    .toSorted((a, b) => particularity(b) - particularity(a));
  const variant = fitting[0];
  if (variant) return { ok: true, variant };
  const unmet = variants.map((one) => unmetOf(one, inventory).join(", ")).join("; or ");
  return { ok: false, unmet };
}

function unmetOf({ platform, build }: Variant, inventory: Inventory): string[] {
  return [...unmetNeeds(platform, inventory), ...(build ? unmetByRecipe(build, inventory) : [])];
}

function unmetByRecipe(recipe: BuildRecipe, { engine_builder: builder, tensorrt }: Inventory): string[] {
  if (builder === undefined) return ["trtexec to build the engine with (this device: none)"];
  if (tensorrt === undefined) return ["a TensorRT that is known (this device: unknown)"];
  const lacking = recipeLacks(recipe, tensorrt);
  return lacking === null ? [] : [`${lacking} (this device: ${tensorrt})`];
}

function unmetNeeds(platform: Platform, inventory: Inventory): string[] {
  return NEEDS.flatMap((need) => {
    const wanted = platform[need];
    if (wanted === undefined || MEETS[need](wanted, inventory[need], platform)) return [];
    return [`${need} ${wanted} (this device: ${inventory[need] ?? "unknown"})`];
  });
}

type Meets = (wanted: string, present: string | undefined, platform: Platform) => boolean;

const MEETS: Record<Need, Meets> = {
  arch: (wanted, present) => present !== undefined && archOf(wanted) === archOf(present),

  // `NVIDIA Jetson Orin NX` is also met by `NVIDIA Jetson Orin NX Engineering Reference Developer Kit`.
  module: (wanted, present) => present !== undefined && `${present} `.startsWith(`${wanted} `),

  sm: (wanted, present, { hardware_compatibility: level }) => {
    if (present === undefined) return false;
    if (level === "ampere+") return compareVersions(present, AMPERE) >= 0;
    return isSameRelease(wanted, present);
  },

  // A plan loads in the release it was built with; one built version-compatible also in later ones, never in earlier.
  tensorrt: (wanted, present, { version_compatible: isForward }) => {
    if (present === undefined) return false;
    if (isSameRelease(wanted, present)) return true;
    const isOffered = isForward === true && compareVersions(wanted, COMPATIBLE_SINCE) >= 0;
    return isOffered && compareVersions(present, wanted) > 0;
  },
};

/** An exact build beats one that was widened, a module beats its chip, and what is built already what has yet to be. */
function particularity({ platform, build }: Variant): number {
  const stated = NEEDS.filter((need) => platform[need] !== undefined).length * 4;
  const widened = platform.version_compatible === true || (platform.hardware_compatibility ?? "none") !== "none";
  return stated + (platform.module === undefined ? 0 : 2) + (widened ? 0 : 1) + (build === undefined ? 0.5 : 0);
}

function archOf(value: string): string {
  return ARCH_ALIASES[value] ?? value;
}
