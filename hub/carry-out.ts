// A decision of the conductor carried out, in one transaction with the event that tells of it.
import type { Change } from "./changes.ts";
import type { Decision } from "./core/deployment.ts";
import { failedConditions } from "./core/gate.ts";
import type { Figures } from "./facts.ts";
import type { Fleet } from "./fleet.ts";
import { restoreTargets } from "./restore.ts";
import { takeSteps } from "./rollout.ts";
import type { DeploymentRecord } from "./store/records.ts";

/** Nobody has acted on it since it was looked at. */
function isAsSeen(current: DeploymentRecord, seen: DeploymentRecord): boolean {
  return (
    current.state === seen.state &&
    current.step === seen.step &&
    current.retry === seen.retry &&
    current.tolerated === seen.tolerated
  );
}

/** Writes a decision down with the event that tells of it. Nothing happens where somebody acted in between: their word stands. */
export async function carryOut(
  change: Change,
  fleet: Fleet,
  deployment: DeploymentRecord,
  figures: Figures,
  decision: Decision,
): Promise<void> {
  const { tx, at, tell, touched } = change;
  const current = await tx.deployments.find(deployment.id);
  if (!current || !isAsSeen(current, deployment)) return;
  touched.deployments.add(deployment.id);
  let { state, reason } = decision;
  const verdict = figures.gate?.verdict;
  const data = { deployment_id: deployment.id, version: deployment.version, gate: figures.gate };
  const isJudged = deployment.state === "soaking" || (deployment.state === "awaiting-approval" && verdict === "fail");
  if (isJudged && figures.gate && (verdict === "pass" || verdict === "fail")) {
    const why = verdict === "fail" ? `: ${failedConditions(figures.gate).join("; ")}` : "";
    await tell(`gate.${verdict}ed`, deployment.id, `${deployment.version}: the gate ${verdict}ed${why}`, data);
  }
  if (decision.move === "advance") {
    const begun = Object.keys(deployment.shares).length > 0;
    const stepped = await takeSteps(change, fleet, current, { to: begun ? current.step + 1 : 0, reason });
    if (!stepped.ok) [state, reason] = ["paused", `Halted: ${stepped.why}`];
  }
  await tx.deployments.update(deployment.id, {
    state,
    state_reason: reason,
    gate: figures.gate,
    halted_by: state === "paused" ? (decision.haltedBy ?? (decision.move ? "target" : null)) : null,
    ...(decision.soaking === "start" && !deployment.soaking_since ? { soaking_since: at } : {}),
    ...(decision.soaking === "clear" ? { soaking_since: null } : {}),
    ...(state === "finished" || state === "rolled-back" ? { finished_at: at } : {}),
  });
  if (decision.move === "roll-back") await restoreTargets(change, current, reason, fleet);
  if (state === deployment.state && !decision.move) return;
  for (const group of Object.keys(current.shares)) touched.members.add(group);
  await tell(`deployment.${state}`, deployment.id, `${deployment.version}: ${reason}`, data);
}
