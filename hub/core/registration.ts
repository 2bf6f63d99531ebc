// Whether a registration may be taken: the claim, the artifact and the statement must tell the same story.
import {
  openEnvelope,
  Statement,
  STATEMENT_PAYLOAD_TYPE,
  StatementFields,
  type Digest,
  type Envelope,
  type ProblemCode,
  type PublicKey,
  type Variant,
} from "@context-edge/protocol";
import type { z } from "zod";

export type Refused = { ok: false; code: ProblemCode; detail: string; nextStep: string };
export type Checked<T> = ({ ok: true } & T) | Refused;

export interface Claim {
  model: string;
  version: string;
  /** What the hub computed of the file that `model_path` names. */
  digest: Digest;
  sizeBytes: number;
}

/** The statement must be signed by a known release key and speak of this version and these bytes. */
export function checkStatement(
  envelope: Envelope,
  releaseKeys: readonly PublicKey[],
  claim: Claim,
): Checked<{ statement: Statement; keyId: string }> {
  const opened = openEnvelope(envelope, { payloadType: STATEMENT_PAYLOAD_TYPE, keys: releaseKeys, schema: Statement });
  if (!opened.ok) {
    return refuse(
      "STATEMENT_REFUSED",
      `The statement does not verify: ${opened.problem}.`,
      "Sign it with a release key this hub knows.",
    );
  }
  const statement = opened.value;
  if (statement.version !== claim.version || statement.model !== claim.model) {
    return refuse(
      "STATEMENT_REFUSED",
      `The statement speaks of ${statement.model} ${statement.version}, not of ${claim.model} ${claim.version}.`,
      "Send the statement that was signed for this version.",
    );
  }
  if (statement.minimum_release !== undefined && statement.minimum_release > statement.release) {
    return refuse(
      "STATEMENT_REFUSED",
      `The statement is release ${statement.release} and allows nothing below ${statement.minimum_release}: every device would refuse it.`,
      "Sign it with a minimum that is not above its own release.",
    );
  }
  const variant = statement.variants.find(({ digest }) => digest === claim.digest);
  if (!variant) {
    return refuse(
      "DIGEST_MISMATCH",
      `The file has digest ${claim.digest}, which the statement does not name.`,
      "Upload the file that was signed, or sign the file that was uploaded.",
    );
  }
  if (variant.size_bytes !== claim.sizeBytes) {
    return refuse(
      "SIZE_MISMATCH",
      `The file has ${claim.sizeBytes} bytes, the statement says ${variant.size_bytes}.`,
      "Sign the file again; its size was recorded wrongly.",
    );
  }
  return { ok: true, statement, keyId: opened.keyId };
}

/** A statement's place among the releases of its model. */
export const Numbered = StatementFields.pick({ version: true, release: true, minimum_release: true });
export type Numbered = z.infer<typeof Numbered>;

/** What whoever signs should know: no reason to refuse, since a device decides by what it ran itself. */
export function releaseWarnings(statement: Numbered, others: readonly Numbered[]): string[] {
  const twin = others.find(({ release }) => release === statement.release);
  const stricter = others.find(({ minimum_release: least = 0 }) => least > statement.release);
  return [
    ...(twin
      ? [
          `Release ${statement.release} was signed for ${twin.version} too: no minimum can tell the two apart. Let it rise.`,
        ]
      : []),
    ...(stricter
      ? [
          `Devices on which ${stricter.version} proved itself refuse this one: it is release ${statement.release}, and they install nothing below ${stricter.minimum_release}.`,
        ]
      : []),
  ];
}

/** Two devices build two engines of one file: only known answers tell whether each is right. */
export function recipeWarnings({ variants, golden }: Pick<Statement, "variants" | "golden">): string[] {
  if (golden !== undefined || !variants.some(({ build }) => build !== undefined)) return [];
  return ["Devices build the engine themselves, and there are no golden samples to prove each of them by."];
}

/** A claimed list of variants must name the file that was uploaded. */
export function checkVariants(variants: readonly Variant[], claim: Claim): Checked<object> {
  const own = variants.find(({ digest }) => digest === claim.digest);
  if (!own) {
    return refuse(
      "DIGEST_MISMATCH",
      `None of the variants has the digest of the file, ${claim.digest}.`,
      "Name the digest of the uploaded file in one of the variants.",
    );
  }
  if (own.size_bytes !== claim.sizeBytes) {
    return refuse(
      "SIZE_MISMATCH",
      `The file has ${claim.sizeBytes} bytes, its variant says ${own.size_bytes}.`,
      "Correct size_bytes.",
    );
  }
  return { ok: true };
}

/** `ftrt` opens every TensorRT plan (bytes 0..3); whatever else there is, this release takes for ONNX. */
export function formatOf(firstBytes: Uint8Array, path: string): string {
  if (/\.onnx$/i.test(path)) return "onnx";
  const isPlan = firstBytes.length >= 4 && String.fromCharCode(...firstBytes.slice(0, 4)) === "ftrt";
  return isPlan ? "trt" : "onnx";
}

function refuse(code: ProblemCode, detail: string, nextStep: string): Refused {
  return { ok: false, code, detail, nextStep };
}
