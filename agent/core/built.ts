// Engines that were built on this device: which variant one stands for, and whether it still fits the TensorRT and the GPU that are here.
import { type BuiltEngine, compareVersions, type Digest, isSameRelease } from "@context-edge/protocol";
import type { BuildOrder, Built, Candidate, FileRef } from "./candidate.ts";
import type { Journal } from "./state.ts";

type Ref = Pick<FileRef, "digest" | "built">;
type Wanted = Pick<Candidate, "digest" | "build">;

/** The digest the hub knows: of the variant, also where an engine built from it is what runs. */
export function variantOf({ digest, built }: Ref): Digest {
  return built?.candidate.digest ?? digest;
}

/** The recipe it was built by, null for a file that runs as it was fetched: with the digest, what a refusal is of. */
export function recipeOf({ build }: Pick<Candidate, "build">): Digest | null {
  return build?.recipeDigest ?? null;
}

/** Whether the file is what the candidate asks for: its own bytes, or an engine built from them that fits here. */
export function isMadeOf(ref: Ref, candidate: Wanted): boolean {
  return candidate.build === undefined ? ref.digest === candidate.digest : isFitting(ref.built, candidate);
}

/** It stands for the candidate, but was built for another TensorRT or GPU than there is now. */
export function isStale({ built }: Ref, candidate: Wanted): boolean {
  return isSameBuild(built, candidate) && !isFitting(built, candidate);
}

function isSameBuild(built: Built | undefined, { digest, build }: Wanted): built is Built {
  const was = built?.candidate;
  return build !== undefined && was?.digest === digest && was.build.recipeDigest === build.recipeDigest;
}

function isFitting(built: Built | undefined, candidate: Wanted): boolean {
  const { build } = candidate;
  return isSameBuild(built, candidate) && build !== undefined && loadsWith(built.candidate.build, build);
}

/** A plan loads in the release it was built with, and on the GPU; built wider, in later releases and on later GPUs too. */
function loadsWith({ recipe, tensorrt, sm }: BuildOrder, here: Pick<BuildOrder, "tensorrt" | "sm">): boolean {
  const isForward = recipe.version_compatible && compareVersions(here.tensorrt, tensorrt) > 0;
  const isWide =
    recipe.hardware_compatibility === "ampere+" && here.sm !== null && compareVersions(here.sm, "8.0") >= 0;
  return (isSameRelease(tensorrt, here.tensorrt) || isForward) && (sm === here.sm || isWide);
}

/** Tells two wishes apart: the same file by another recipe, or for another TensorRT, is another engine. */
export function keyOf({ digest, build }: Wanted): string {
  return build ? [digest, build.recipeDigest, build.tensorrt, build.sm].join(" ") : digest;
}

/** As the hub and the page are told. */
export function builtEngine({ digest, built }: Ref): BuiltEngine | undefined {
  if (!built) return undefined;
  const { candidate, builtAt, tookMs } = built;
  const { recipeDigest: recipe, tensorrt, sm } = candidate.build;
  return { digest, recipe, tensorrt, sm, built_at: builtAt, took_s: Math.round(tookMs / 1_000) };
}

/** A published file under the candidate's version: an engine has a digest of its own, anything else the candidate's. */
export function installedRef({ published }: Pick<Journal, "published">, candidate: Candidate, file: string): FileRef {
  const entry = published[file];
  const { version, digest } = candidate;
  return entry?.built ? { file, version, digest: entry.digest, built: entry.built } : { file, version, digest };
}

/** What a file on this disk is when nobody asks for it: spoken of by its variant, as it was signed. */
export function namedAs(ref: FileRef): Pick<Candidate, "version" | "digest" | "build"> {
  return { version: ref.version, digest: variantOf(ref), ...(ref.built ? { build: ref.built.candidate.build } : {}) };
}
