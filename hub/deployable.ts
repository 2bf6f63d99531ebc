// May this version be deployed at all? Deploying a pending version approves it in the caller's name.
import type { Deployment } from "@context-edge/protocol";
import type { Change } from "./changes.ts";
import { ProblemError } from "./problem-error.ts";
import type { VersionRecord } from "./store/records.ts";

export async function deployableVersion(
  change: Change,
  { model, version: id, kind }: { model: string; version: string; kind: Deployment["kind"] },
): Promise<VersionRecord> {
  const { tx, at, actor, touched, tell } = change;
  const version = await tx.versions.find(model, id);
  if (!version) throw unknownVersion(model, id);
  const why = kind === "rollback" ? whyNotRestorable(version) : whyNotDeployable(version);
  if (why) throw new ProblemError(why.code, why.detail, { nextStep: why.nextStep });
  if (version.stage === "pending" && kind !== "rollback") {
    const decision = {
      stage: "approved" as const,
      decided_by: actor,
      decided_at: at,
      decision_reason: "approved by deploying it",
    };
    await tx.versions.decide(model, id, decision);
    touched.versions.add(`${model}/${id}`);
    await tell("version.approved", `${model}/${id}`, `${actor} approved ${id} by deploying it`);
  }
  return version;
}

interface Refusal {
  code: "VERSION_NOT_DEPLOYABLE" | "QUARANTINED";
  detail: string;
  nextStep: string;
}

export function whyNotDeployable(version: VersionRecord): Refusal | null {
  const { version_id: id, stage } = version;
  const never = whyNotRestorable(version);
  if (never || stage === "approved" || stage === "pending") return never;
  return {
    code: "VERSION_NOT_DEPLOYABLE",
    detail: `${id} is ${stage}.`,
    nextStep: "Choose an approved version, or register the model under a new version.",
  };
}

/** Going back is allowed to what has run before, whatever was decided about it since, but never to what would be refused. */
export function whyNotRestorable({
  version_id: id,
  stage,
  statement,
  decision_reason: why,
}: VersionRecord): Refusal | null {
  if (stage === "quarantined") {
    return {
      code: "QUARANTINED",
      detail: `${id} is quarantined: ${why ?? "no device may install it"}.`,
      nextStep: "Deploy another version. An admin may lift the quarantine with a reason.",
    };
  }
  if (stage === "archived") {
    return {
      code: "VERSION_NOT_DEPLOYABLE",
      detail: `${id} is archived: its files may be gone.`,
      nextStep: "Unarchive it and approve it, or choose another version.",
    };
  }
  if (statement) return null;
  return {
    code: "VERSION_NOT_DEPLOYABLE",
    detail: `${id} carries no statement signed by a release key, so every device would refuse it.`,
    nextStep: "Register it under a new version with a signed statement.",
  };
}

export function unknownVersion(model: string, id: string): ProblemError {
  return new ProblemError("VERSION_UNKNOWN", `Model ${model} has no version ${id}.`, {
    nextStep: `List the versions with GET /api/v1/models/${model}/versions.`,
  });
}
