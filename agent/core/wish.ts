// From the group's manifest to what this one device should run now: its place in the wave, its variant, its proof.
import {
  chooseVariant,
  type DeviceId,
  type Envelope,
  type Inventory,
  isInWave,
  type Manifest,
  type ModelName,
  type Offer,
  openEnvelope,
  peekPayload,
  type PublicKey,
  recipeDigest,
  Statement,
  STATEMENT_PAYLOAD_TYPE,
  type Target,
  type Variant,
} from "@context-edge/protocol";
import { WHAT_IS_WRONG } from "./accept.ts";
import { instant } from "./instant.ts";
import type { Candidate, Conclusion, Wish } from "./state.ts";

export interface Asked {
  wish: Wish;
  /** The sealed statement of the wished version, to be kept beside the file. */
  statement: Envelope | null;
}

export interface Asking {
  manifest: Manifest | null;
  model: ModelName;
  device: DeviceId;
  inventory: Inventory;
  releaseKeys: readonly PublicKey[];
  now: number;
}

export function wishOf(asking: Asking): Asked {
  const { manifest, model, device, now } = asking;
  if (!manifest) return nothing("no-manifest");
  const target = manifest.models.find((one) => one.model === model);
  if (!target) return nothing("not-named");
  if (target.paused) return nothing("paused");
  // An old manifest stays in force for running, never for installing.
  if (instant(manifest.expires_at) <= now) return nothing("expired");
  const offer = isInWave(device, target.deployment_id, target.share) ? target.target : target.previous;
  return offer ? wishForOffer(offer, target, asking) : nothing("outside-wave");
}

function wishForOffer(offer: Offer, target: Target, { inventory, releaseKeys }: Asking): Asked {
  const impossible = (statement: Statement | undefined, code: string, message: string, nextStep: string): Asked => {
    const conclusion: Conclusion = { outcome: "rejected", code, message, nextStep, evidence: {}, refuse: true };
    return { wish: { is: "impossible", candidate: namedOnly(offer, target, statement), conclusion }, statement: null };
  };
  const opened = openEnvelope(offer.statement, {
    payloadType: STATEMENT_PAYLOAD_TYPE,
    keys: releaseKeys,
    schema: Statement,
  });
  if (!opened.ok) {
    return impossible(
      peekPayload(offer.statement, Statement),
      opened.problem,
      `the statement of ${offer.version} was refused: ${WHAT_IS_WRONG[opened.problem]}`,
      "Sign the version with a release key this device trusts, and register it again.",
    );
  }
  const statement = opened.value;
  if (statement.version !== offer.version || statement.model !== target.model) {
    return impossible(
      statement,
      "STATEMENT_MISMATCH",
      `${offer.version} of ${target.model} was offered with the statement of ${statement.version} of ${statement.model}`,
      "Check the hub: it pairs versions with other versions' statements.",
    );
  }
  const choice = chooseVariant(statement.variants, inventory);
  if (!choice.ok) {
    return impossible(
      statement,
      "NO_COMPATIBLE_VARIANT",
      `no file of ${offer.version} fits this device: needed is ${choice.unmet}`,
      "Build a variant for this platform and register it with the version.",
    );
  }
  const { digest, size_bytes: sizeBytes, format } = choice.variant;
  const order = orderOf(choice.variant, inventory);
  const candidate = { ...namedOnly(offer, target, statement), digest, sizeBytes, format, ...order };
  return { wish: { is: "candidate", candidate }, statement: offer.statement };
}

/** What the engine is built for; a variant with a recipe is chosen only where the TensorRT is known. */
function orderOf({ build: recipe }: Variant, { tensorrt, sm }: Inventory): Pick<Candidate, "build"> {
  if (!recipe || tensorrt === undefined) return {};
  return { build: { recipe, recipeDigest: recipeDigest(recipe), tensorrt, sm: sm ?? null } };
}

/** A candidate that is only spoken of: its digest is the first variant's, or zeros when nothing readable names one. */
function namedOnly(offer: Offer, target: Target, statement: Statement | undefined): Candidate {
  const variant = statement?.variants[0];
  return {
    model: target.model,
    version: offer.version,
    digest: variant?.digest ?? "0".repeat(64),
    sizeBytes: variant?.size_bytes ?? 1,
    format: variant?.format ?? "trt",
    release: statement?.release ?? 0,
    minimumRelease: statement?.minimum_release ?? 0,
    deploymentId: target.deployment_id,
    retry: target.retry,
    policy: target.policy,
  };
}

function nothing(why: Extract<Wish, { is: "nothing" }>["why"]): Asked {
  return { wish: { is: "nothing", why }, statement: null };
}
