// Registering a version: the file must be there, the claim must fit it, and the same words twice are no second version.
import { createHash } from "node:crypto";
import {
  DEFAULT_MODEL,
  ModelName,
  peekPayload,
  seal,
  Statement,
  STATEMENT_PAYLOAD_TYPE,
  statementSchemaOf,
  type RegisterRequest,
  type Variant,
} from "@context-edge/protocol";
import {
  checkStatement,
  checkVariants,
  type Claim,
  formatOf,
  Numbered,
  recipeWarnings,
  releaseWarnings,
} from "../core/registration.ts";
import { countRemovals, lookAtFiles, stillThere } from "../file-use.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import type { VersionRecord } from "../store/records.ts";
import type { Repositories } from "../store/store.ts";
import { locateFile, neverUploaded } from "./model-path.ts";

export interface Registered {
  record: VersionRecord;
  isNew: boolean;
  warnings: string[];
}

export async function registerVersion(
  hub: Hub,
  actor: string,
  modelParam: string | undefined,
  request: RegisterRequest,
): Promise<Registered> {
  const model = parseModel(request.model ?? modelParam);
  if (modelParam !== undefined && modelParam !== model) {
    throw new ProblemError("BAD_REQUEST", `The address names the model ${modelParam}, the body ${model}.`, {
      nextStep: "Name the model once, or the same one twice.",
    });
  }
  const contentHash = createHash("sha256")
    .update(canonical({ ...request, model }))
    .digest("hex");
  const known = await hub.store.versions.find(model, request.version_id);
  if (known) return sameOrConflict(known, contentHash);

  let removals = await countRemovals(hub.store);
  const file = await locateFile(hub, request.model_path);
  const claim: Claim = { model, version: request.version_id, ...file };
  const described = await describe(hub, claim, request);
  const digests = described.variants.map(({ digest }) => digest);

  const enter = () =>
    hub.changes.make(actor, async ({ tx, at, touched, tell }) => {
      const raced = await tx.versions.find(model, request.version_id);
      if (raced) return sameOrConflict(raced, contentHash);
      await refuseQuarantined(tx, described.variants);
      // Files were removed since this one was looked at: it may have been among them.
      if (!(await stillThere(tx, { removals }, digests))) return null;
      const record: VersionRecord = {
        model,
        version_id: request.version_id,
        stage: "pending",
        accuracy: request.accuracy,
        training_samples: request.training_samples,
        training_date: request.training_date,
        metrics: request.metrics ?? {},
        variants: described.variants,
        sha256: file.digest,
        size_bytes: file.sizeBytes,
        model_path: request.model_path,
        statement: described.statement,
        signed_by: described.signedBy,
        content_hash: contentHash,
        registered_at: at,
        registered_by: actor,
        decided_by: null,
        decided_at: null,
        decision_reason: null,
      };
      await tx.versions.insert(record);
      touched.versions.add(`${model}/${request.version_id}`);
      await tell(
        "version.registered",
        `${model}/${request.version_id}`,
        `${actor} registered ${request.version_id} for review`,
        {
          model,
          version: request.version_id,
          accuracy: request.accuracy,
          sha256: file.digest,
        },
      );
      return { record, isNew: true, warnings: described.warnings };
    });
  for (;;) {
    const registered = await enter();
    if (registered) return registered;
    const sight = await lookAtFiles(hub, [file.digest]);
    if (sight.missing.length > 0) throw neverUploaded(file.digest);
    removals = sight.removals;
  }
}

function sameOrConflict(known: VersionRecord, contentHash: string): Registered {
  if (known.content_hash === contentHash) return { record: known, isNew: false, warnings: [] };
  throw new ProblemError("VERSION_CONFLICT", `${known.version_id} was registered before with other content.`, {
    nextStep: "A version never changes: register this content under a new version.",
    context: { registered_at: known.registered_at, sha256: known.sha256 },
  });
}

export function parseModel(model: string | undefined): string {
  const parsed = ModelName.safeParse(model ?? DEFAULT_MODEL);
  if (parsed.success) return parsed.data;
  throw new ProblemError("BAD_REQUEST", `"${model}" is no model name.`, { context: { errors: parsed.error.issues } });
}

interface Described {
  variants: Variant[];
  statement: VersionRecord["statement"];
  signedBy: string | null;
  warnings: string[];
}

async function describe(hub: Hub, claim: Claim, request: RegisterRequest): Promise<Described> {
  if (request.statement) {
    const checked = checkStatement(request.statement, hub.keys.release, claim);
    if (!checked.ok) throw new ProblemError(checked.code, checked.detail, { nextStep: checked.nextStep });
    return {
      variants: checked.statement.variants,
      statement: request.statement,
      signedBy: checked.keyId,
      warnings: [
        ...releaseWarnings(checked.statement, await releasesOf(hub, claim.model)),
        ...recipeWarnings(checked.statement),
      ],
    };
  }
  if (request.variants) {
    const checked = checkVariants(request.variants, claim);
    if (!checked.ok) throw new ProblemError(checked.code, checked.detail, { nextStep: checked.nextStep });
  }
  const start = await hub.artifacts.head(claim.digest, 4).catch(async (error: unknown) => {
    // Removed between two looks.
    if (!(await hub.artifacts.stat(claim.digest))) throw neverUploaded(claim.digest);
    throw error;
  });
  const format = formatOf(start, request.model_path);
  const variants = request.variants ?? [{ digest: claim.digest, size_bytes: claim.sizeBytes, format, platform: {} }];
  const { devRelease } = hub.keys;
  if (!devRelease) {
    const warnings = ["The version carries no signed statement: it can be reviewed, but not deployed."];
    return { variants, statement: null, signedBy: null, warnings };
  }
  const statement: Statement = {
    schema: statementSchemaOf(variants),
    model: claim.model,
    version: claim.version,
    release: hub.now(),
    created_at: new Date(hub.now()).toISOString(),
    variants,
  };
  const valid = Statement.safeParse(statement);
  if (!valid.success) {
    throw new ProblemError(
      "STATEMENT_REFUSED",
      `These variants make no statement: ${valid.error.issues[0]?.message}.`,
      {
        nextStep: "Sign a statement on the training side, with what is missing.",
      },
    );
  }
  return {
    variants,
    statement: seal(STATEMENT_PAYLOAD_TYPE, statement, devRelease),
    signedBy: devRelease.publicKey.id,
    warnings: [
      "This hub signed the statement itself, with a development key and without golden samples. On a real fleet the training side signs.",
    ],
  };
}

async function releasesOf(hub: Hub, model: string): Promise<Numbered[]> {
  const versions = await hub.store.versions.list(model);
  return versions.flatMap(({ statement }) => (statement && peekPayload(statement, Numbered)) ?? []);
}

async function refuseQuarantined(tx: Pick<Repositories, "versions">, variants: readonly Variant[]): Promise<void> {
  for (const { digest } of variants) {
    const bad = (await tx.versions.withDigest(digest)).find(({ stage }) => stage === "quarantined");
    if (bad) {
      throw new ProblemError("QUARANTINED", `These bytes are quarantined as ${bad.version_id}.`, {
        nextStep: "An admin may lift the quarantine with a reason.",
      });
    }
  }
}

/** JSON with sorted keys: the same content in another order is the same content. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
