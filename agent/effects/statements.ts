// The sealed statement beside a file: who vouches for these bytes, what they are built by, and what they should answer. Verified at every reading.
import { readFile } from "node:fs/promises";
import {
  chooseVariant,
  Envelope,
  type Golden,
  openEnvelope,
  recipeDigest,
  Statement,
  STATEMENT_PAYLOAD_TYPE,
  type Variant,
} from "@context-edge/protocol";
import { recipeOf } from "../core/built.ts";
import type { Candidate } from "../core/state.ts";
import type { Warrant } from "../core/steps.ts";
import type { Tools } from "../ports.ts";

type Reading = Pick<Tools, "directory" | "releaseKeys">;

/**
 * Both signatures once more, from the disk: the release key's over this digest, size and recipe, the hub's over this offer.
 * What runs already was offered when it came.
 * @returns the candidate's variant, or why it is not proved
 */
export async function provedVariant(
  tools: Reading & Pick<Tools, "documents" | "inventory">,
  candidate: Candidate,
  warrant: Warrant,
): Promise<Variant | string> {
  const envelope = await readStatement(tools, candidate.digest);
  if (!envelope) return "its sealed statement is gone from the disk";
  const opened = open(tools, envelope);
  if (!opened.ok) return `its statement does not open (${opened.problem})`;
  const variant = opened.value.variants.find(
    ({ digest, size_bytes: sizeBytes, build }) =>
      digest === candidate.digest &&
      sizeBytes === candidate.sizeBytes &&
      (build ? recipeDigest(build) : null) === recipeOf(candidate),
  );
  if (!variant) return "its statement does not name this file";
  if (warrant === "offer") {
    return tools.documents.covers(envelope) ? variant : "the hub's manifest does not offer it";
  }
  // Nobody chose it anew: what the variant needs of the platform may be gone with the TensorRT it was built for.
  const choice = chooseVariant([variant], tools.inventory);
  return choice.ok ? variant : `it is not for what this device has become: needed is ${choice.unmet}`;
}

export async function readStatement({ directory }: Pick<Tools, "directory">, digest: string): Promise<Envelope | null> {
  try {
    const parsed = Envelope.safeParse(JSON.parse(await readFile(directory.statement(digest), "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Verified like everything else: golden answers decide whether a model stays. */
export async function goldenOf(tools: Reading, variant: string): Promise<Golden | null> {
  const opened = open(tools, await readStatement(tools, variant));
  return opened.ok ? (opened.value.golden ?? null) : null;
}

function open({ releaseKeys }: Reading, envelope: Envelope | null) {
  return openEnvelope(envelope, { payloadType: STATEMENT_PAYLOAD_TYPE, keys: releaseKeys, schema: Statement });
}
