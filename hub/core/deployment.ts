// What becomes of a deployment: the conductor's one decision, from the facts of the moment to the next state and its reason.
import {
  CLOSED_DEPLOYMENT_STATES,
  type Deployment,
  type DeploymentState,
  type GateReport,
  type Plan,
  type Progress,
} from "@context-edge/protocol";
import { missingFor } from "./gate.ts";
import { allowedBad, stepWords } from "./plan.ts";
import { badEnds, isUnderWay, reachable } from "./progress.ts";
import { devices } from "./say.ts";

export interface DeploymentFacts {
  kind: Deployment["kind"];
  state: DeploymentState;
  stateReason: string;
  plan: Plan;
  step: number;
  progress: Progress;
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
  /** Some group has an earlier target to go back to. */
  canRollBack: boolean;
  /** The groups have settled on what they were rolled back to. */
  isRestored: boolean;
}

export interface Decision {
  state: DeploymentState;
  reason: string;
  /** What to do with the time since which everyone has settled. */
  soaking: "keep" | "start" | "clear";
  /** What else changes: the next step begins, or every group goes back to what it had. */
  move?: "advance" | "roll-back";
}

/** @returns null when nothing changes. */
export function decideDeployment(facts: DeploymentFacts): Decision | null {
  if (CLOSED_DEPLOYMENT_STATES.includes(facts.state)) return null;
  const decide = DECISIONS[facts.state];
  return decide ? decide(facts) : null;
}

const DECISIONS: Partial<Record<DeploymentState, (facts: DeploymentFacts) => Decision | null>> = {
  scheduled: (facts) => forbid(facts) ?? (facts.isEarly ? null : begin(facts)),
  running: (facts) => halt(facts) ?? forbid(facts) ?? settle(facts),
  soaking: (facts) =>
    halt(facts) ?? forbid(facts) ?? (isUnderWay(facts.progress) ? resumeRunning(facts) : judge(facts)),
  "awaiting-approval": (facts) => halt(facts) ?? forbid(facts),
  // Devices that were under way when it halted end one by one: the reason keeps count.
  paused: (facts) => {
    const halted = halt({ ...facts, canRollBack: false });
    return halted && halted.reason !== facts.stateReason ? halted : null;
  },
  "rolling-back": ({ isRestored, stateReason }) =>
    isRestored ? { state: "rolled-back", reason: stateReason.replace("Rolling", "Rolled"), soaking: "keep" } : null,
};

const isLast = ({ plan, step }: Pick<DeploymentFacts, "plan" | "step">) => step >= plan.steps.length - 1;

function begin(facts: DeploymentFacts): Decision {
  const words = stepWords(facts.plan, 0);
  return { state: "running", reason: words ? `Began with ${words}` : "Began", soaking: "clear", move: "advance" };
}

function forbid({ forbidden }: DeploymentFacts): Decision | null {
  return forbidden === null ? null : { state: "paused", reason: `Halted: ${forbidden}`, soaking: "keep" };
}

/** A wave may not lose a device unnoticed: more bad ends than allowed stop whoever has not begun. */
function halt(facts: DeploymentFacts): Decision | null {
  const { progress, plan, tolerated, commonCode, commonMessage } = facts;
  const bad = badEnds(progress);
  const moved = progress.total - progress.waiting;
  if (bad <= Math.max(tolerated, allowedBad(plan, moved))) return null;
  // Devices still under way decide for themselves; the halt only keeps the others from starting.
  const cause = commonMessage ? `: ${commonMessage}` : "";
  return stop(facts, `${bad} of ${moved} devices did not keep it (${commonCode ?? "no code"})${cause}`);
}

function stop({ plan, canRollBack }: DeploymentFacts, why: string): Decision {
  if (plan.on_fail === "roll-back" && canRollBack) {
    return { state: "rolling-back", reason: `Rolling back: ${why}`, soaking: "keep", move: "roll-back" };
  }
  return { state: "paused", reason: `Halted: ${why}`, soaking: "keep" };
}

function settle(facts: DeploymentFacts): Decision | null {
  const { kind, progress, plan } = facts;
  if (isUnderWay(progress)) return null;
  const reached = reachable(progress);
  const away = progress.offline > 0 ? `; ${progress.offline} offline will follow when they return` : "";
  if (isLast(facts) && kind !== "pilot") {
    return { state: "finished", reason: `All ${reached} reachable devices run it${away}`, soaking: "keep" };
  }
  if (plan.gate === null) return advance(facts);
  // A step in which nobody took it proves nothing: it waits for the first, for a promotion, or for an end by hand.
  if (progress.committed === 0) return null;
  const reason = `All ${reached} reachable devices run it and are being watched${away}`;
  return { state: "soaking", reason, soaking: "start" };
}

/** A device came back, or moved in: the step has not settled any more, but what was watched so far stays watched. */
function resumeRunning({ progress }: DeploymentFacts): Decision {
  return { state: "running", reason: `${devices(progress.pending + progress.moving)} under way`, soaking: "keep" };
}

function judge(facts: DeploymentFacts): Decision | null {
  const { gate, plan, kind } = facts;
  if (!gate || !plan.gate || gate.verdict === "inconclusive") return null;
  if (gate.verdict === "fail") return stop(facts, `the gate failed: ${missingFor(gate, plan.gate).join("; ")}`);
  if (plan.promote === "automatic" && !isLast(facts)) return advance(facts);
  const next = kind === "pilot" ? "it may go to all groups" : `next is ${stepWords(plan, facts.step + 1)}`;
  return { state: "awaiting-approval", reason: `The gate has passed: ${next}`, soaking: "keep" };
}

function advance({ plan, step }: DeploymentFacts): Decision {
  return { state: "running", reason: `Went on to ${stepWords(plan, step + 1)}`, soaking: "clear", move: "advance" };
}
