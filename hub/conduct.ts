// One deployment, looked at once: facts, decision, and the decision carried out with the event that tells of it.
import { CLOSED_DEPLOYMENT_STATES } from "@context-edge/protocol";
import type { Change } from "./changes.ts";
import type { ConductorSettings } from "./conductor.ts";
import { isLate, nextStay, phaseToWatch, type Stay } from "./core/deadlines.ts";
import { decideDeployment, type Decision, type DeploymentFacts } from "./core/deployment.ts";
import { progressOf, type Member } from "./core/progress.ts";
import { whyNotDeployable } from "./deployable.ts";
import { figuresOf, type Figures } from "./facts.ts";
import type { Fleet } from "./fleet.ts";
import { restoreTargets } from "./restore.ts";
import { takeSteps } from "./rollout.ts";
import type { DeploymentRecord } from "./store/records.ts";

/** By deployment and device. */
export type Stays = Map<string, Map<string, Stay>>;

const ACTOR = "conductor";

/** @returns whether something was decided, so that another look is worth it at once */
export async function conductDeployment(
  settings: ConductorSettings,
  stays: Stays,
  deployment: DeploymentRecord,
): Promise<boolean> {
  const { store, changes, publisher, now } = settings;
  const fleet = await settings.fleet();
  const late = lateDevices(stays, fleet, deployment, now());
  if (late.length > 0) {
    await markTimedOut(settings, deployment, late);
    return true;
  }
  const figures = await figuresOf(store, fleet, deployment, now());
  const decision = decideDeployment(decisionFacts(deployment, figures, fleet, now()));
  if (decision) {
    await changes.make(ACTOR, (change) => carryOut(change, fleet, deployment, figures, decision));
    if (decision.move) await settings.targetsChanged();
    // Whatever it was: shares and pauses are part of what devices are told.
    await publisher.refresh(decision.move === "roll-back" ? undefined : deployment.groups);
    return true;
  }
  if (figures.gate && (verdictsOf(figures.gate) !== verdictsOf(deployment.gate) || isWatched(deployment))) {
    await store.deployments.update(deployment.id, { gate: figures.gate });
    changes.touch({ deployments: new Set([deployment.id]) });
  }
  return false;
}

const verdictsOf = (gate: DeploymentRecord["gate"]) => gate?.conditions.map(({ verdict }) => verdict).join() ?? "";
/** Its figures move by themselves, and somebody looks at them. */
const isWatched = ({ state }: DeploymentRecord) => state === "running" || state === "soaking";

function decisionFacts(
  deployment: DeploymentRecord,
  { members, gate }: Figures,
  fleet: Fleet,
  nowMs: number,
): DeploymentFacts {
  const bad = members.flatMap(({ standing, timedOut, turn }) => {
    if (!turn) return [];
    if (standing.sync === "failed" && standing.outcome) return [standing.outcome];
    return timedOut ? [{ code: "TIMED_OUT", message: `silent in the phase ${timedOut} past its deadline` }] : [];
  });
  const counts = Map.groupBy(bad, ({ code }) => code);
  const [commonCode = null, ones = []] = [...counts].toSorted((a, b) => b[1].length - a[1].length)[0] ?? [];
  const version = fleet.version(deployment.model, deployment.version);
  const refusal = version && deployment.kind !== "rollback" ? whyNotDeployable(version) : null;
  const mine = fleet.targets.filter((target) => target.deployment_id === deployment.id);
  return {
    kind: deployment.kind,
    state: deployment.state,
    stateReason: deployment.state_reason,
    plan: deployment.plan,
    step: deployment.step,
    progress: progressOf(members),
    gate,
    tolerated: deployment.tolerated,
    commonCode,
    commonMessage: ones[0]?.message ?? null,
    isEarly: deployment.plan.start_at !== null && Date.parse(deployment.plan.start_at) > nowMs,
    forbidden: refusal?.detail.replace(/\.$/, "") ?? null,
    canRollBack: mine.some((target) => target.previous_version !== null),
    isRestored: isRestored(fleet, deployment),
  };
}

/** Every group it had is settled on something else. */
function isRestored(fleet: Fleet, { model, shares }: DeploymentRecord): boolean {
  return Object.keys(shares).every((group) => {
    const id = fleet.targetView(group, model)?.deploymentId;
    const now = id === undefined ? undefined : fleet.deploymentsById.get(id);
    return now === undefined || CLOSED_DEPLOYMENT_STATES.includes(now.state);
  });
}

function lateDevices(stays: Stays, fleet: Fleet, deployment: DeploymentRecord, nowMs: number): Member[] {
  const before = stays.get(deployment.id) ?? new Map<string, Stay>();
  const after = new Map<string, Stay>();
  const isUnderWay = deployment.state === "running" || deployment.state === "soaking";
  if (!isUnderWay) {
    stays.delete(deployment.id);
    return [];
  }
  const late = fleet.members(deployment).filter((member) => {
    const phase = phaseToWatch(member);
    if (phase === null || member.timedOut) return false;
    const stay = nextStay(before.get(member.id), phase, nowMs);
    after.set(member.id, stay);
    return isLate(stay, deployment.plan.deadlines, nowMs);
  });
  stays.set(deployment.id, after);
  return late;
}

async function markTimedOut({ changes }: ConductorSettings, { id, version }: DeploymentRecord, late: Member[]) {
  await changes.make(ACTOR, async ({ tx, at, tell, touched }) => {
    const current = await tx.deployments.find(id);
    if (!current) return;
    const timed_out = { ...current.timed_out };
    for (const { id: device, standing } of late) {
      timed_out[device] = { phase: standing.phase, at };
      touched.devices.add(device);
      const summary = `${device}: ${version} timed out: nothing was heard of it in the phase ${standing.phase}`;
      await tell("device.timed-out", device, summary, { device_id: device, deployment_id: id, phase: standing.phase });
    }
    await tx.deployments.update(id, { timed_out });
    touched.deployments.add(id);
  });
}

async function carryOut(
  change: Change,
  fleet: Fleet,
  deployment: DeploymentRecord,
  figures: Figures,
  decision: Decision,
): Promise<void> {
  const { tx, at, tell, touched } = change;
  // Somebody may have acted between the look and now: their word stands, the next round sees it.
  const current = await tx.deployments.find(deployment.id);
  if (current?.state !== deployment.state || current.step !== deployment.step) return;
  touched.deployments.add(deployment.id);
  let { state, reason } = decision;
  const verdict = figures.gate?.verdict;
  const data = { deployment_id: deployment.id, version: deployment.version, gate: figures.gate };
  if (deployment.state === "soaking" && (verdict === "pass" || verdict === "fail")) {
    await tell(`gate.${verdict}ed`, deployment.id, `${deployment.version}: the gate ${verdict}ed`, data);
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
    ...(decision.soaking === "start" && !deployment.soaking_since ? { soaking_since: at } : {}),
    ...(decision.soaking === "clear" ? { soaking_since: null } : {}),
    ...(state === "finished" || state === "rolled-back" ? { finished_at: at } : {}),
  });
  if (decision.move === "roll-back") await restoreTargets(change, current, reason, fleet);
  if (state === deployment.state && !decision.move) return;
  for (const group of Object.keys(current.shares)) touched.members.add(group);
  await tell(`deployment.${state}`, deployment.id, `${deployment.version}: ${reason}`, data);
}
