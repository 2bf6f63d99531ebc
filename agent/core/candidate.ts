// A version as this device installs it, and its files on the disk: what a journal and a slot speak of.
import { BuildRecipe, Digest, ModelName, ProbePolicy, Timestamp, VersionId } from "@context-edge/protocol";
import { z } from "zod";

/** A name inside the model's own directory, never a path. */
export const FileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,300}$/);

export const BuildOrder = z.object({
  recipe: BuildRecipe,
  recipeDigest: Digest,
  /** Of the inference process: what the engine is built for. */
  tensorrt: z.string(),
  sm: z.string().nullable(),
});
/** How a candidate's engine is to be built here. */
export type BuildOrder = z.infer<typeof BuildOrder>;

export const Candidate = z.object({
  model: ModelName,
  version: VersionId,
  digest: Digest,
  sizeBytes: z.number().int().positive(),
  format: z.string(),
  /** Its engine is built from the file; absent: the file itself runs. */
  build: BuildOrder.optional(),
  /** As the release key signed it; 0 where an earlier agent did not note it. */
  release: z.number().int().default(0),
  /** The least release that may follow this one; 0: any. */
  minimumRelease: z.number().int().default(0),
  deploymentId: z.string(),
  retry: z.number().int(),
  policy: ProbePolicy,
});
/** Everything a transaction needs to know of what it installs, so that it can end without the manifest it began with. */
export type Candidate = z.infer<typeof Candidate>;

export const Built = z.object({
  /** What it was built for: its digest is the variant's file, as the release key signed it. */
  candidate: Candidate.extend({ build: BuildOrder }),
  builtAt: Timestamp,
  tookMs: z.number().min(0),
});
/** Where an engine on this disk came from. */
export type Built = z.infer<typeof Built>;

export const FileRef = z.object({
  file: FileName,
  version: VersionId,
  digest: Digest,
  /** Of an engine that was built here. */
  built: Built.optional(),
});
/** A published file of a version, as a slot points to it. */
export type FileRef = z.infer<typeof FileRef>;

export const PublishedFile = z.object({
  version: VersionId,
  digest: Digest,
  sizeBytes: z.number().int(),
  built: Built.optional(),
});
export type PublishedFile = z.infer<typeof PublishedFile>;
