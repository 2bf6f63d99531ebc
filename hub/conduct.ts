// One deployment, looked at once: who is late, what the figures are, and what follows from them.
import { CLOSED_DEPLOYMENT_STATES } from "@context-edge/protocol";
import { carryOut } from "./carry-out.ts";
import type { ConductorSettings } from "./conductor.ts";
import { minutesFor } from "./core/deadlines.ts";
import { decideDeployment, type Decision, type DeploymentFacts } from "./core/deployment.ts";
import { binOf, progressOf, type Member } from "./core/progress.ts";
import { whyNotDeployable } from "./deployable.ts";
import { figuresOf, type Figures } from "./facts.ts";
import type { Fleet } from "./fleet.ts";
import { ProblemError } from "./problem-error.ts";
import { restorableOf } from "./restore.ts";
import type { Stays } from "./stays.ts";
import type { DeploymentRecord } from "./store/records.ts";

const ACTOR = "conductor";

/** @returns whether something was decided, so that another look is worth it at once */
export async function conductDeployment(
  settings: ConductorSettings,
  stays: Stays,
  found: DeploymentRecord,
): Promise<boolean> {
  const { store, changes, publisher, now } = settings;
  const fleet = await settings.fleet();
  const deployment = await noteWatched(settings, fleet, found);
  const late = await stays.look(deployment, fleet.members(deployment));
  if (late.length > 0) {
    await markTimedOut(settings, deployment, late);
    return true;
  }
  const figures = await figuresOf(store, fleet, deployment, now());
  const decision = decideDeployment(decisionFacts(deployment, figures, fleet, now()));
  if (decision) {
    await changes
      .make(ACTOR, (change) => carryOut(change, fleet, deployment, figures, decision))
      .catch((error: unknown) => {
        // What cannot be carried out must not be tried for ever, nor hold up the others: a person has to look.
        if (!(error instanceof ProblemError)) throw error;
        const halted: Decision = {
          state: "paused",
          reason: `Halted: ${error.message}`,
          haltedBy: "error",
          soaking: "keep",
        };
        return changes.make(ACTOR, (change) => carryOut(change, fleet, deployment, figures, halted));
      });
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
/** Remembers since when each device is seen to run it: the gate asks how long each of them was watched. */
async function noteWatched(
  { store, now }: ConductorSettings,
  fleet: Fleet,
  deployment: DeploymentRecord,
): Promise<DeploymentRecord> {
  if (!deployment.plan.gate || Object.keys(deployment.shares).length === 0) return deployment;
  const at = new Date(now()).toISOString();
  const committed = fleet.members(deployment).filter((member) => binOf(member) === "committed");
  const watched = Object.fromEntries(committed.map(({ id }) => [id, deployment.watched[id] ?? at]));
  const isSame =
    committed.length === Object.keys(deployment.watched).length &&
    committed.every(({ id }) => id in deployment.watched);
  if (isSame) return deployment;
  await store.deployments.update(deployment.id, { watched });
  return { ...deployment, watched };
}

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
  const stepGroups = new Set(deployment.plan.steps[deployment.step]?.groups);
  return {
    kind: deployment.kind,
    state: deployment.state,
    stateReason: deployment.state_reason,
    haltedBy: deployment.halted_by,
    plan: deployment.plan,
    step: deployment.step,
    progress: progressOf(members),
    stepIsEmpty: !members.some(({ id, turn }) => turn && stepGroups.has(fleet.device(id)?.group_name ?? "")),
    stepSeconds: deployment.step_since ? (nowMs - Date.parse(deployment.step_since)) / 1_000 : 0,
    patienceSeconds: minutesFor("idle", deployment.plan.deadlines) * 60,
    gate,
    tolerated: deployment.tolerated,
    commonCode,
    commonMessage: ones[0]?.message ?? null,
    isEarly: deployment.plan.start_at !== null && Date.parse(deployment.plan.start_at) > nowMs,
    forbidden: refusal?.detail.replace(/\.$/, "") ?? null,
    canRollBack: mine.some((target) => restorableOf(fleet, target) !== null),
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
