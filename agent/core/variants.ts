// Which artifact of a version fits this device: every stated need must be met, and the most particular one wins.
import type { Inventory, Platform, Statement, Variant } from "@context-edge/protocol";

const NEEDS = ["arch", "module", "sm", "tensorrt"] as const satisfies readonly (keyof Platform)[];

/** Node and Debian spell the same processors differently; builds state either. */
const ARCH_ALIASES: Record<string, string> = { aarch64: "arm64", x64: "x86_64", amd64: "x86_64" };

export type VariantChoice = { ok: true; variant: Variant } | { ok: false; unmet: string };

/** @returns the fitting variant with the most needs stated, or in words what no variant offers. */
export function chooseVariant(statement: Statement, inventory: Inventory): VariantChoice {
  const fitting = statement.variants
    .filter((variant) => unmetNeeds(variant.platform, inventory).length === 0)
    .toSorted((a, b) => statedNeeds(b.platform) - statedNeeds(a.platform));
  const variant = fitting[0];
  if (variant) return { ok: true, variant };
  const unmet = statement.variants.map((one) => unmetNeeds(one.platform, inventory).join(", ")).join("; or ");
  return { ok: false, unmet };
}

function unmetNeeds(platform: Platform, inventory: Inventory): string[] {
  return NEEDS.flatMap((need) => {
    const wanted = platform[need];
    if (wanted === undefined || normalize(need, wanted) === normalize(need, inventory[need])) return [];
    return [`${need} ${wanted} (this device: ${inventory[need] ?? "unknown"})`];
  });
}

function statedNeeds(platform: Platform): number {
  return NEEDS.filter((need) => platform[need] !== undefined).length;
}

function normalize(need: (typeof NEEDS)[number], value: string | undefined): string | undefined {
  return need === "arch" && value !== undefined ? (ARCH_ALIASES[value] ?? value) : value;
}
