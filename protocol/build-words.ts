// A build in words, the same ones on the device's page, in the dashboard and on the command line. Nothing is told that is not known.
import type { BuildProgress, BuildRecipe } from "./build.ts";

/**
 * Whole percent of the time the last build of this recipe took on this device; null without one, and when this one takes longer:
 * a build knows no other measure of how far it is.
 */
export function buildPercent({ elapsed_s: elapsed, estimate_s: estimate }: BuildProgress): number | null {
  if (elapsed === null || estimate === null || estimate <= 0 || elapsed >= estimate) return null;
  return Math.min(99, Math.floor((100 * elapsed) / estimate));
}

/**
 * "Building the engine, 43 %, about 6 min left, v2.0 keeps serving"
 * @param serving what runs meanwhile; null: nothing does
 */
export function buildWords(build: BuildProgress, serving: string | null): string {
  const { stage, elapsed_s: elapsed, estimate_s: estimate } = build;
  const meanwhile = serving === null ? "" : `, ${serving} keeps serving`;
  if (elapsed === null) return `The engine has yet to be built: ${stage}${meanwhile}`;
  const percent = buildPercent(build);
  if (percent !== null && estimate !== null) {
    return `Building the engine, ${percent} %, about ${minutes(estimate - elapsed)} left${meanwhile}`;
  }
  const before = estimate === null ? "no estimate yet" : `longer than the ${minutes(estimate)} it took before`;
  return `Building the engine: ${stage}, ${minutes(elapsed)} so far, ${before}${meanwhile}`;
}

/** "fp16, level 3, shapes of images": what a reader wants to know of a recipe. */
export function recipeWords(recipe: BuildRecipe): string {
  const { precision, strongly_typed: isTyped, shapes, workspace_mib: workspace, optimization_level: level } = recipe;
  const words = [
    isTyped ? "types of the file" : ["fp32", ...precision].join("+"),
    level === undefined ? "" : `level ${level}`,
    workspace === undefined ? "" : `workspace ${workspace} MiB`,
    Object.keys(shapes).length === 0 ? "" : `shapes of ${Object.keys(shapes).join(", ")}`,
    recipe.version_compatible ? "for later TensorRT too" : "",
    recipe.hardware_compatibility === "none" ? "" : recipe.hardware_compatibility,
  ];
  return words.filter((word) => word !== "").join(", ");
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}
