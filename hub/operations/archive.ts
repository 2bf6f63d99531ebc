// Archiving a version that nobody needs any more, so that its files may go; and taking it back as long as they are there.
import type { Hub } from "../hub.ts";
import { unknownVersion } from "../deployable.ts";
import { lookAtFiles, stillThere, usersOfVersion } from "../file-use.ts";
import { ProblemError } from "../problem-error.ts";

interface Named {
  model: string;
  version: string;
  reason: string;
}

/** Named in a refusal; the rest is counted. */
const FEW = 20;

/** @throws VERSION_IN_USE with who needs it */
export async function archiveVersion(hub: Hub, actor: string, { model, version, reason }: Named): Promise<void> {
  await hub.changes.make(actor, async ({ tx, at, touched, tell }) => {
    const record = await tx.versions.find(model, version);
    if (!record) throw unknownVersion(model, version);
    if (record.stage === "archived") return;
    if (record.stage !== "approved" && record.stage !== "rejected") {
      throw new ProblemError(
        "CONFLICT",
        `${version} is ${record.stage}: only what was approved or rejected is archived.`,
        {
          nextStep:
            record.stage === "pending" ? "Approve or reject it first." : "An admin may lift its quarantine first.",
        },
      );
    }
    const uses = await usersOfVersion(tx, record);
    if (uses.length > 0) {
      const more = uses.length > 1 ? `, and ${uses.length - 1} more` : "";
      throw new ProblemError("VERSION_IN_USE", `${version} ${uses[0]}${more}.`, {
        nextStep: "Archive it when nobody needs it any more.",
        context: { used_by: uses.slice(0, FEW), used_by_total: uses.length },
      });
    }
    await tx.versions.decide(model, version, decision("archived", actor, at, reason));
    touched.versions.add(`${model}/${version}`);
    const days = hub.config.keep.unusedDays;
    const then = days === 0 ? "" : `; its files may be removed after ${days} days`;
    await tell("version.archived", `${model}/${version}`, `${actor} archived ${version}${because(reason)}${then}`, {
      reason,
    });
  });
}

/** Back to where it has to be decided about again. @throws ARTIFACT_MISSING with the files to upload */
export async function unarchiveVersion(hub: Hub, actor: string, { model, version, reason }: Named): Promise<void> {
  for (;;) {
    const record = await hub.store.versions.find(model, version);
    if (!record) throw unknownVersion(model, version);
    if (record.stage !== "archived") {
      throw new ProblemError("CONFLICT", `${version} is ${record.stage}, not archived.`);
    }
    const digests = record.variants.map(({ digest }) => digest);
    const sight = await lookAtFiles(hub, digests);
    if (sight.missing.length > 0) {
      throw new ProblemError("ARTIFACT_MISSING", `Files of ${version} were removed: ${sight.missing.join(", ")}.`, {
        nextStep: "Upload each again with PUT /mlops/artifacts/<sha256>, then unarchive.",
        context: { missing: sight.missing },
      });
    }
    const isDone = await hub.changes.make(actor, async ({ tx, at, touched, tell }) => {
      if ((await tx.versions.find(model, version))?.stage !== "archived") return false;
      if (!(await stillThere(tx, sight, digests))) return false;
      await tx.versions.decide(model, version, decision("pending", actor, at, reason));
      touched.versions.add(`${model}/${version}`);
      const summary = `${actor} unarchived ${version}, which waits for review again${because(reason)}`;
      await tell("version.unarchived", `${model}/${version}`, summary, { reason });
      return true;
    });
    if (isDone) return;
  }
}

const because = (reason: string) => (reason ? `: ${reason}` : "");
const decision = <S extends string>(stage: S, actor: string, at: string, reason: string) => ({
  stage,
  decided_by: actor,
  decided_at: at,
  decision_reason: reason || null,
});
