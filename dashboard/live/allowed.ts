// What may be done now, and if not, why: every button is shown, and a disabled one says its reason. Purely derived.
import type { Deployment, DeploymentState, Device, PilotMetrics, Session, Version } from "@context-edge/protocol";

export type Steering = "start" | "pause" | "resume" | "retry" | "abort";

/** Null: allowed. Otherwise a sentence for the reader. */
export type Obstacle = string | null;

/** Before every other reason: what this person may never do, whatever the state of things. */
export function whyNotAct(session: Pick<Session, "role"> | null, verb: string): Obstacle {
  if (session?.role === "viewer") return `Viewers cannot ${verb}. Ask an admin for the role engineer.`;
  return session?.role === "publisher" ? `A publisher's token cannot ${verb}.` : null;
}

const OVER: Partial<Record<DeploymentState, string>> = {
  finished: "It is finished.",
  aborted: "It was aborted.",
  "rolled-back": "It was rolled back.",
  "rolling-back": "It is being rolled back.",
};

const STEERABLE: Record<Steering, { from: readonly DeploymentState[]; otherwise: string }> = {
  start: { from: ["draft", "scheduled"], otherwise: "It has begun." },
  pause: { from: ["running", "soaking", "awaiting-approval", "scheduled"], otherwise: "It is not under way." },
  resume: { from: ["paused"], otherwise: "It is not paused." },
  // Also after its end: as long as devices follow it, who failed may try again.
  retry: { from: ["running", "soaking", "awaiting-approval", "paused", "finished"], otherwise: "It is not under way." },
  abort: {
    from: ["running", "soaking", "awaiting-approval", "paused", "scheduled", "draft", "rolling-back"],
    otherwise: "It is not under way.",
  },
};

export function whyNotSteer(action: Steering, { state, progress }: Deployment): Obstacle {
  const { from, otherwise } = STEERABLE[action];
  if (!from.includes(state)) return OVER[state] ?? otherwise;
  if (action === "retry" && progress.failed + progress.rolled_back === 0) return "No device failed or rolled back.";
  return null;
}

/** Why the next step cannot begin by a plain word. */
export function whyNotPromote({ state, step, plan }: Deployment): Obstacle {
  if (step >= plan.steps.length - 1) return "This is the last step.";
  if (state === "awaiting-approval") return null;
  if (state === "running") return "The devices of this step have not settled yet.";
  return state === "soaking" ? "The gate has not passed yet." : (OVER[state] ?? "It is not under way.");
}

/** @param members how many devices follow it now. */
export function whyNotRollBack({ previous }: Deployment, members: number): Obstacle {
  if (members === 0) return "No device follows this deployment any more.";
  if (Object.values(previous).every((version) => version === null)) return "There was no version before it.";
  return null;
}

/** Why all groups cannot have it yet. The hub decides; these are its words, or what is known without asking it. */
export function whyNotAll(deployment: Deployment, metrics: PilotMetrics | null): Obstacle {
  const { kind, state } = deployment;
  if (kind !== "pilot") return "Only a pilot goes on to all groups.";
  if (state === "finished") return "It went on to all groups already.";
  if (state === "rolled-back" || state === "aborted") return deployment.state_reason || OVER[state] || "It is over.";
  if (!metrics) return "Asking the hub …";
  if (metrics.deployment_id !== deployment.id) return "A later deployment of this version decides.";
  return metrics.can_deploy_to_all ? null : metrics.blockers.join("; ") || "The gate has not passed.";
}

/** Going past the gate is for a pilot that is still open and has not passed. */
export function canOverride(deployment: Deployment, metrics: PilotMetrics | null): boolean {
  const isOver = OVER[deployment.state] !== undefined;
  return metrics !== null && deployment.kind === "pilot" && !isOver && whyNotAll(deployment, metrics) !== null;
}

export function whyNotReview({ stage }: Version): Obstacle {
  return stage === "pending" ? null : `It is ${stage} already.`;
}

/** Whether somebody needs it still, the hub says: it knows every manifest and slot. */
export function whyNotArchive({ stage, running_on: devices }: Version): Obstacle {
  if (stage === "pending") return "Approve or reject it first.";
  if (stage === "quarantined") return "It is quarantined.";
  return devices > 0 ? "Devices run it." : null;
}

export function whyNotDeploy({ stage, signed_by }: Version): Obstacle {
  if (stage !== "pending" && stage !== "approved") return `It is ${stage}.`;
  return signed_by === null ? "It carries no release signature: every device would refuse it." : null;
}

/** For admins: it cannot be undone from here. */
export function whyNotDecommission(session: Pick<Session, "role"> | null): Obstacle {
  return session?.role === "admin" ? null : "Only admins decommission a device.";
}

/** A device tries again with the deployment it follows: there is no other way to tell a single one. */
export function whyNotRetryDevice({ sync }: Pick<Device, "sync">, deployment: Deployment | undefined): Obstacle {
  if (sync !== "failed") return "It has not failed.";
  return deployment ? whyNotSteer("retry", deployment) : "It follows no deployment that is known here.";
}
