// What becomes of a deployment: the conductor's one decision, from the facts of the moment to the next state and its reason.
import {
  CLOSED_DEPLOYMENT_STATES,
  type Deployment,
  type DeploymentState,
  type GateReport,
  type Plan,
  type Progress,
} from "@context-edge/protocol";
import { failedConditions } from "./gate.ts";
import { allowedBad, stepWords } from "./plan.ts";
import { badEnds, isUnderWay, reachable } from "./progress.ts";
import { devices } from "./say.ts";

/** Why the hub itself stopped a deployment: what stopped it may pass, and then it goes on by itself, or it may not. */
export type HaltCause = "bad-ends" | "gate" | "version" | "target" | "nobody" | "error";

export interface DeploymentFacts {
  kind: Deployment["kind"];
  state: DeploymentState;
  stateReason: string;
  haltedBy: HaltCause | null;
  plan: Plan;
  step: number;
  progress: Progress;
  /** Nobody belongs to the step that is under way. */
  stepIsEmpty: boolean;
  /** Seconds since that step began. */
  stepSeconds: number;
  /** Seconds that a device which was told may take to begin. */
  patienceSeconds: number;
  /** Null where the plan asks for none. */
  gate: GateReport | null;
  /** Bad ends that a person accepted by resuming. */
  tolerated: number;
  /** The most common code among devices that did not keep the version. */
  commonCode: string | null;
  /** What the device said when it ended that way. */
  commonMessage: string | null;
  /** The planned start lies ahead. */
  isEarly: boolean;
  /** Why the version may not be installed any more; null when it may. */
  forbidden: string | null;
  /** Some group has an earlier target to go back to, of a version that may still be installed. */
  canRollBack: boolean;
  /** The groups have settled on what they were rolled back to. */
  isRestored: boolean;
}

export interface Decision {
  state: DeploymentState;
  reason: string;
  haltedBy: HaltCause | null;
  /** What to do with the time since which everyone has settled. */
  soaking: "keep" | "start" | "clear";
  /** What else changes: the next step begins, or every group goes back to what it had. */
  move?: "advance" | "roll-back";
}

/** @returns null when nothing changes. */
export function decideDeployment(facts: DeploymentFacts): Decision | null {
  if (CLOSED_DEPLOYMENT_STATES.includes(facts.state)) return null;
  const decision = DECISIONS[facts.state]?.(facts) ?? null;
  const isSame = decision?.state === facts.state && decision.reason === facts.stateReason && !decision.move;
  return isSame ? null : decision;
}

const DECISIONS: Partial<Record<DeploymentState, (facts: DeploymentFacts) => Decision | null>> = {
  scheduled: (facts) => forbid(facts) ?? (facts.isEarly ? null : begin(facts)),
  running: (facts) => halt(facts) ?? forbid(facts) ?? settle(facts),
  soaking: (facts) =>
    halt(facts) ?? forbid(facts) ?? (isUnderWay(facts.progress) ? resumeRunning(facts) : judge(facts)),
  // What passed may fail yet: until somebody goes on, its devices are watched like before.
  "awaiting-approval": (facts) => halt(facts) ?? forbid(facts) ?? failed(facts),
  paused: (facts) => reconsider(facts),
  "rolling-back": ({ isRestored, stateReason }) =>
    isRestored ? onTo("rolled-back", stateReason.replace("Rolling", "Rolled"), "keep") : null,
};

const onTo = (state: DeploymentState, reason: string, soaking: Decision["soaking"]): Decision => {
  return { state, reason, haltedBy: null, soaking };
};

const isLast = ({ plan, step }: Pick<DeploymentFacts, "plan" | "step">) => step >= plan.steps.length - 1;
const inTurn = ({ total, waiting }: Progress) => total - waiting;

function begin(facts: DeploymentFacts): Decision {
  const words = stepWords(facts.plan, 0);
  return { ...onTo("running", words ? `Began with ${words}` : "Began", "clear"), move: "advance" };
}

function forbid({ forbidden }: DeploymentFacts): Decision | null {
  if (forbidden === null) return null;
  return { ...onTo("paused", `Halted: ${forbidden}`, "keep"), haltedBy: "version" };
}

function hasTooManyBadEnds({ kind, progress, plan, tolerated }: DeploymentFacts): boolean {
  // What goes back is better everywhere than half of it: a device that cannot is told, and the others go on.
  if (kind === "rollback") return false;
  return badEnds(progress) > Math.max(tolerated, allowedBad(plan, inTurn(progress)));
}

/** A wave may not lose a device unnoticed: more bad ends than allowed stop whoever has not begun. */
function halt(facts: DeploymentFacts): Decision | null {
  const { progress, commonCode, commonMessage } = facts;
  if (!hasTooManyBadEnds(facts)) return null;
  // Devices still under way decide for themselves; the halt only keeps the others from starting.
  const cause = commonMessage ? `: ${commonMessage}` : "";
  const why = `${badEnds(progress)} of ${inTurn(progress)} devices did not keep it (${commonCode ?? "no code"})${cause}`;
  return stop(facts, "bad-ends", why);
}

function stop({ plan, canRollBack }: DeploymentFacts, haltedBy: HaltCause, why: string): Decision {
  if (plan.on_fail === "roll-back" && canRollBack)
    return { ...onTo("rolling-back", `Rolling back: ${why}`, "keep"), move: "roll-back" };
  return { ...onTo("paused", `Halted: ${why}`, "keep"), haltedBy };
}

/** Devices that were under way when it halted end one by one: the reason keeps count, and what has mended itself goes on. */
function reconsider(facts: DeploymentFacts): Decision | null {
  const { haltedBy, progress } = facts;
  const counted = halt({ ...facts, canRollBack: false });
  if (counted) return { ...counted, haltedBy: haltedBy ?? null };
  if (haltedBy === "bad-ends") return onTo("running", "The devices that had failed have kept it since", "keep");
  if (haltedBy === "nobody" && (isUnderWay(progress) || progress.committed > 0))
    return onTo("running", "A device can be reached again", "keep");
  return null;
}

const WAITS = "Waits for the first";

function settle(facts: DeploymentFacts): Decision | null {
  const { kind, progress, plan, stepIsEmpty, stateReason } = facts;
  if (isUnderWay(progress)) return stateReason.startsWith(WAITS) ? resumeRunning(facts) : null;
  const isEnd = isLast(facts) && kind !== "pilot";
  if (isEnd && !(plan.gate && plan.watch_last)) return onTo("finished", whoRunsIt(progress), "keep");
  if (!isLast(facts) && (stepIsEmpty || plan.gate === null)) return advance(facts);
  // A step in which nobody took it proves nothing.
  if (progress.committed === 0) return wait(facts);
  return onTo("soaking", `${whoRunsIt(progress)}; watched`, "start");
}

/** "3 of 4 reachable devices run it; 1 did not keep it; 2 offline will follow when they return" */
function whoRunsIt(progress: Progress): string {
  const { committed, offline } = progress;
  const reached = reachable(progress);
  const bad = badEnds(progress);
  if (inTurn(progress) === 0) return "There is no device yet; those that come will run it";
  if (committed + bad === 0) return `None ${nobody(progress)} could take it yet`;
  return [
    committed === reached
      ? `All ${devices(reached).replace(" ", " reachable ")} run it`
      : `${committed} of ${reached} reachable devices run it`,
    bad > 0 ? `${bad} did not keep it` : "",
    offline > 0 ? `${offline} offline will follow when they return` : "",
  ]
    .filter((part) => part !== "")
    .join("; ");
}

/** "of 5 devices (3 offline, 2 without a fitting variant)" */
function nobody(progress: Progress): string {
  const { offline, held, incompatible } = progress;
  const apart = [
    offline > 0 ? `${offline} offline` : "",
    held > 0 ? `${held} held or waiting` : "",
    incompatible > 0 ? `${incompatible} without a fitting variant` : "",
  ].filter((part) => part !== "");
  return `of ${devices(inTurn(progress))}${apart.length > 0 ? ` (${apart.join(", ")})` : ""}`;
}

/** Until somebody can be reached, but not for ever; where nobody ever can, not at all. */
function wait(facts: DeploymentFacts): Decision {
  const { progress, stepSeconds, patienceSeconds, kind } = facts;
  if (progress.offline + progress.held > 0 && stepSeconds < patienceSeconds)
    return onTo("running", `${WAITS} ${nobody(progress)}`, "clear");
  if (isLast(facts) && kind !== "pilot") return onTo("finished", whoRunsIt(progress), "keep");
  return { ...onTo("paused", `Halted: none ${nobody(progress)} could take it`, "clear"), haltedBy: "nobody" };
}

/** A device came back, or moved in: the step has not settled any more, but what was watched so far stays watched. */
function resumeRunning({ progress }: DeploymentFacts): Decision {
  return onTo("running", `${devices(progress.pending + progress.moving)} under way`, "keep");
}

function failed(facts: DeploymentFacts): Decision | null {
  const { gate } = facts;
  if (gate?.verdict !== "fail") return null;
  return stop(facts, "gate", `the gate failed: ${failedConditions(gate).join("; ")}`);
}

function judge(facts: DeploymentFacts): Decision | null {
  const { gate, plan, kind, progress } = facts;
  if (gate?.verdict !== "pass") return failed(facts);
  if (isLast(facts) && kind !== "pilot") return onTo("finished", `The gate has passed: ${whoRunsIt(progress)}`, "keep");
  if (plan.promote === "automatic" && !isLast(facts)) return advance(facts);
  const next = kind === "pilot" ? "it may go to all groups" : `next is ${stepWords(plan, facts.step + 1)}`;
  return onTo("awaiting-approval", `The gate has passed: ${next}`, "keep");
}

function advance({ plan, step }: DeploymentFacts): Decision {
  return { ...onTo("running", `Went on to ${stepWords(plan, step + 1)}`, "clear"), move: "advance" };
}
