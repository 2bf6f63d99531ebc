// Promoting: the next step of a deployment, or all that are left; a pilot's next step is every group.
import { blockersOf, figuresOf } from "../facts.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { takeSteps, wentOnTo } from "../rollout.ts";
import type { DeploymentRecord } from "../store/records.ts";
import { commit, deployAll } from "./deploy.ts";

export interface Promotion {
  reason?: string | undefined;
  to?: "next" | "end" | undefined;
  override?: { reason: string } | undefined;
}

export async function promote(
  hub: Hub,
  actor: string,
  deployment: DeploymentRecord,
  { reason, to = "next", override }: Promotion,
): Promise<DeploymentRecord> {
  const { id, model, version, plan, state } = deployment;
  if (deployment.kind === "pilot") return deployAll(hub, actor, { model, version, reason }, override);
  const last = plan.steps.length - 1;
  const isOpen = state === "running" || state === "soaking" || state === "awaiting-approval";
  if (!isOpen || deployment.step >= last) {
    throw new ProblemError(
      "CONFLICT",
      isOpen
        ? "This is the last step: there is nothing to promote to."
        : `A deployment that is ${state} cannot promote.`,
      state === "paused" ? { nextStep: "Resume it, or roll it back." } : {},
    );
  }
  const missing = await missingOf(hub, deployment);
  if (missing.length > 0 && !override) {
    throw new ProblemError("GATE_NOT_MET", `The next step may not begin yet: ${missing.join("; ")}.`, {
      nextStep: 'Wait, or send {"override": {"reason": "…"}}; the reason is kept in the audit.',
      context: { missing },
    });
  }
  const step = to === "end" ? last : deployment.step + 1;
  const look = await hub.fleet();
  const why = override?.reason ?? reason;
  const sentence = `${wentOnTo(plan, step)}, by ${actor}${why ? `: ${why}` : ""}`;
  return commit(hub, actor, async (change) => {
    const current = await change.tx.deployments.find(id);
    if (current?.state !== state || current.step !== deployment.step) {
      throw new ProblemError("CONFLICT", "The deployment went on just now.", { nextStep: "Look at it again." });
    }
    const stepped = await takeSteps(change, look, current, { to: step, reason: sentence });
    if (!stepped.ok) throw new ProblemError("CONFLICT", `It cannot go on: ${stepped.why}.`);
    if (override && missing.length > 0) {
      await change.tell("gate.overridden", id, `${actor} overrode the gate of ${version}: ${override.reason}`, {
        reason: override.reason,
        missing,
      });
    }
    await change.tell("deployment.promoted", id, `${version}: ${sentence}`, { deployment_id: id, step });
    return stepped.deployment;
  });
}

async function missingOf(hub: Hub, deployment: DeploymentRecord): Promise<string[]> {
  const { gate } = await figuresOf(hub.store, await hub.fleet(), deployment, hub.now());
  // What has passed stays passed while a device comes back and catches up, but not when its figures turn bad.
  const hasPassed = gate?.verdict === "pass" || (deployment.state === "awaiting-approval" && gate?.verdict !== "fail");
  return hasPassed ? [] : blockersOf({ ...deployment, kind: "pilot" }, gate);
}
