// What becomes of a deployment: the conductor's one decision, from the facts of the moment to the next state and its reason.
import {
  CLOSED_DEPLOYMENT_STATES,
  type Deployment,
  type DeploymentState,
  type GateReport,
  type Progress,
} from "@context-edge/protocol";
import { missingFor } from "./gate.ts";
import { badEnds, isUnderWay } from "./progress.ts";

export interface DeploymentFacts {
  kind: Deployment["kind"];
  state: DeploymentState;
  stateReason: string;
  progress: Progress;
  gate: GateReport;
  /** Bad ends that a person accepted by resuming. */
  tolerated: number;
  /** The most common code among devices that did not keep the version. */
  commonCode: string | null;
  /** What the device said when it ended that way. */
  commonMessage: string | null;
}

export interface Decision {
  state: DeploymentState;
  reason: string;
  /** What to do with the time since which everyone has settled. */
  soaking: "keep" | "start" | "clear";
}

/** @returns null when nothing changes. */
export function decideDeployment(facts: DeploymentFacts): Decision | null {
  if (CLOSED_DEPLOYMENT_STATES.includes(facts.state)) return null;
  const decide = DECISIONS[facts.state];
  return decide ? decide(facts) : null;
}

const DECISIONS: Partial<Record<DeploymentState, (facts: DeploymentFacts) => Decision | null>> = {
  running: (facts) => halt(facts) ?? settle(facts),
  soaking: (facts) => halt(facts) ?? (isUnderWay(facts.progress) ? resumeRunning(facts) : judge(facts)),
  "awaiting-approval": (facts) => halt(facts),
  // Devices that were under way when it halted end one by one: the reason keeps count.
  paused: (facts) => {
    const halted = halt(facts);
    return halted && halted.reason !== facts.stateReason ? halted : null;
  },
};

/** A wave may not lose a device unnoticed: one bad end stops whoever has not begun. */
function halt({ progress, tolerated, commonCode, commonMessage }: DeploymentFacts): Decision | null {
  const bad = badEnds(progress);
  if (bad <= tolerated) return null;
  // Devices still under way decide for themselves; the halt only keeps the others from starting.
  const cause = commonMessage ? `: ${commonMessage}` : "";
  return {
    state: "paused",
    reason: `Halted: ${bad} of ${progress.total} devices did not keep it (${commonCode ?? "no code"})${cause}`,
    soaking: "keep",
  };
}

function settle({ kind, progress }: DeploymentFacts): Decision | null {
  if (isUnderWay(progress)) return null;
  const reached = progress.total - progress.offline - progress.incompatible - progress.held;
  const away = progress.offline > 0 ? `; ${progress.offline} offline will follow when they return` : "";
  if (kind !== "pilot") {
    return { state: "finished", reason: `All ${reached} reachable devices run it${away}`, soaking: "keep" };
  }
  if (progress.committed === 0) return null;
  return {
    state: "soaking",
    reason: `All ${reached} reachable devices run it and are being watched${away}`,
    soaking: "start",
  };
}

/** A device came back, or moved in: the pilot has not settled any more, but what was watched so far stays watched. */
function resumeRunning({ progress }: DeploymentFacts): Decision {
  const count = progress.pending + progress.moving;
  return { state: "running", reason: `${count} devices are under way`, soaking: "keep" };
}

function judge({ gate }: DeploymentFacts): Decision | null {
  if (gate.verdict === "pass") {
    return { state: "awaiting-approval", reason: "The gate has passed: it may go to all groups", soaking: "keep" };
  }
  if (gate.verdict === "fail") {
    return { state: "paused", reason: `The gate failed: ${missingFor(gate).join("; ")}`, soaking: "keep" };
  }
  return null;
}
