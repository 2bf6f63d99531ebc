// What this device refuses: a digest, and where it builds its engines, a digest by one recipe. Another recipe makes another engine.
import { Digest } from "@context-edge/protocol";
import { z } from "zod";
import type { Candidate } from "./candidate.ts";

export const Refusal = z.object({
  digest: Digest,
  /** Of a variant that is built here; absent: the file itself. */
  recipe: Digest.optional(),
  code: z.string(),
  message: z.string(),
  retry: z.number().int(),
  deploymentId: z.string(),
  /** `quarantined` came out of a rollback and outlives the deployment; `rejected` is tried again by a new one. */
  kind: z.enum(["quarantined", "rejected"]),
});
export type Refusal = z.infer<typeof Refusal>;

export const Setback = z.object({ digest: Digest, failures: z.number().int(), notBefore: z.number() });
/** A digest whose attempt failed for a passing reason, and when it may be tried again. */
export type Setback = z.infer<typeof Setback>;

type Refused = Pick<Candidate, "digest" | "build">;

export function isOf(refusal: Refusal, { digest, build }: Refused): boolean {
  return refusal.digest === digest && refusal.recipe === build?.recipeDigest;
}

export function findRefusal(refusals: readonly Refusal[], candidate: Refused): Refusal | undefined {
  return refusals.find((refusal) => isOf(refusal, candidate));
}
