// The build recipe of a version whose engine the devices make themselves: a few precisions by name, or a JSON file with all of it.
import { BuildPrecision, BuildRecipe } from "@context-edge/protocol";
import { wrongUse } from "../exits.ts";
import { readJson, type ReleaseFile } from "./release-file.ts";

/** @param given `fp16`, `fp16,bf16`, `fp32` (nothing beside it), or the name of a JSON file */
export async function readRecipe(given: string): Promise<BuildRecipe> {
  const words = given.split(",").map((word) => word.trim());
  const known: readonly string[] = [...BuildPrecision.options, "fp32"];
  if (!words.every((word) => known.includes(word))) return readJson(given, BuildRecipe);
  const recipe = BuildRecipe.safeParse({ precision: words.filter((word) => word !== "fp32") });
  if (recipe.success) return recipe.data;
  throw wrongUse(`--build ${given}: ${recipe.error.issues[0]?.message}.`);
}

/** Engines among the files stay as they are: only ONNX is there to be built from. */
export function withRecipe(file: ReleaseFile, recipe: BuildRecipe | undefined): ReleaseFile {
  if (!recipe || file.variant.format !== "onnx") return file;
  return { ...file, variant: { ...file.variant, build: recipe } };
}
