// The build recipe of a variant: how a device makes the engine it runs from a portable file. Closed fields only, never a program's own words.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { Digest, Timestamp } from "./names.ts";
import { compareVersions } from "./releases.ts";

/** As TensorRT takes names of inputs in a list: no comma, no quote, no blank that would end one. */
const TensorName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$/, "must be the name of an input");
const Shape = z.array(z.number().int().min(1).max(1_048_576)).min(1).max(8);

export const BuildPrecision = z.enum(["fp16", "bf16", "int8"]);
/** What kernels may be chosen beside FP32. `int8` is for files that carry their own scales (Q/DQ nodes). */
export type BuildPrecision = z.infer<typeof BuildPrecision>;

export const ShapeRange = z
  .strictObject({ min: Shape, opt: Shape, max: Shape })
  .refine(
    ({ min, opt, max }) =>
      min.length === opt.length &&
      opt.length === max.length &&
      opt.every((size, at) => (min[at] ?? 0) <= size && size <= (max[at] ?? 0)),
    "min ≤ opt ≤ max, with as many dimensions each",
  );
export type ShapeRange = z.infer<typeof ShapeRange>;

/**
 * A field that is not known refuses the whole statement: nobody may build something else than was signed. What is added
 * later needs a default that changes nothing, or the digests of earlier recipes would change with it.
 */
export const BuildRecipe = z
  .strictObject({
    precision: z
      .array(BuildPrecision)
      .max(3)
      .refine((all) => new Set(all).size === all.length, "each precision once")
      .default([]),
    /** Types are those of the file, and nothing else is tried (TensorRT 9 or newer; the only way from 11 on). */
    strongly_typed: z.boolean().default(false),
    /** By input, for those whose shape the file leaves open. */
    shapes: z
      .record(TensorName, ShapeRange)
      .refine((all) => Object.keys(all).length <= 32, "at most 32 inputs")
      .default({}),
    /** Scratch memory a kernel may use, in MiB; TensorRT's own default is all there is. */
    workspace_mib: z.number().int().min(16).max(1_048_576).optional(),
    /** 0 builds fastest, 5 tries most; TensorRT's own default is 3. */
    optimization_level: z.number().int().min(0).max(5).optional(),
    /** The engine also runs on later TensorRT releases, so that an update needs no new build. */
    version_compatible: z.boolean().default(false),
    hardware_compatibility: z.enum(["none", "ampere+"]).default("none"),
    /** How long one build may take on a device. */
    deadline_minutes: z.number().int().min(1).max(480).default(60),
  })
  .refine(
    ({ precision, strongly_typed: isTyped }) => !isTyped || precision.length === 0,
    "strongly_typed takes the types from the file: no precision beside it",
  );
export type BuildRecipe = z.infer<typeof BuildRecipe>;

/** Names what makes two engines of one file different; the deadline does not. */
export function recipeDigest({ deadline_minutes: _deadline, ...recipe }: BuildRecipe): Digest {
  const inOrder = { ...recipe, precision: recipe.precision.toSorted() };
  const stated = Object.entries(inOrder).filter(([, value]) => !isDefault(value));
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify(sorted(Object.fromEntries(stated))))));
}

const isDefault = (value: unknown) =>
  value === undefined ||
  value === false ||
  value === "none" ||
  (value !== null && typeof value === "object" && Object.keys(value).length === 0);

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** @returns what this TensorRT lacks for the recipe, or null */
export function recipeLacks(recipe: BuildRecipe, tensorrt: string): string | null {
  const isSince = (release: string) => compareVersions(tensorrt, release) >= 0;
  const needs: [boolean, string][] = [
    [recipe.precision.includes("bf16"), "9.0"],
    [recipe.strongly_typed, "9.0"],
    [recipe.optimization_level !== undefined, "8.6"],
    [recipe.version_compatible, "8.6"],
    [recipe.hardware_compatibility !== "none", "8.6"],
  ];
  const lacking = needs.find(([isNeeded, release]) => isNeeded && !isSince(release));
  if (lacking) return `TensorRT ${lacking[1]} or newer for the build recipe`;
  // trtexec 11 knows no precision flags any more: types come from the file.
  return recipe.precision.length > 0 && isSince("11.0") ? "TensorRT before 11 for the build recipe's precision" : null;
}

/** What a device made of a variant's file, and for which TensorRT. */
export const BuiltEngine = z.object({
  /** sha256 of the engine. Two builds of one file differ, so it names this device's own. */
  digest: Digest,
  recipe: Digest,
  tensorrt: z.string().max(64),
  sm: z.string().max(16).nullable(),
  built_at: Timestamp,
  took_s: z.number().min(0),
});
export type BuiltEngine = z.infer<typeof BuiltEngine>;

/** A build that is under way or waits for its turn. Seconds, as the device counts them without its clock. */
export const BuildProgress = z.object({
  /** In words: "choosing kernels". */
  stage: z.string().max(64),
  /** Null while it has not begun. */
  elapsed_s: z.number().min(0).nullable(),
  /** How long the last build of this recipe took here; null when there was none. */
  estimate_s: z.number().min(0).nullable(),
  /** After so long, all tries and pauses together, the device itself gives up. */
  deadline_s: z.number().min(0),
});
export type BuildProgress = z.infer<typeof BuildProgress>;
