// Approving and rejecting a version.
import type { Stage } from "@context-edge/protocol";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { unknownVersion } from "../deployable.ts";

interface Review {
  model: string;
  version: string;
  to: Extract<Stage, "approved" | "rejected">;
  reason: string;
}

export async function reviewVersion(hub: Hub, actor: string, { model, version, to, reason }: Review): Promise<Stage> {
  return hub.changes.make(actor, async ({ tx, at, touched, tell }) => {
    const record = await tx.versions.find(model, version);
    if (!record) throw unknownVersion(model, version);
    if (record.stage === to) return to;
    if (record.stage !== "pending") {
      throw new ProblemError("CONFLICT", `${version} is ${record.stage} already.`, {
        nextStep: "Only a pending version can be approved or rejected.",
      });
    }
    await tx.versions.decide(model, version, {
      stage: to,
      decided_by: actor,
      decided_at: at,
      decision_reason: reason || null,
    });
    touched.versions.add(`${model}/${version}`);
    await tell(`version.${to}`, `${model}/${version}`, `${actor} ${to} ${version}${reason ? `: ${reason}` : ""}`, {
      reason,
    });
    return to;
  });
}
