// Which colour and which words go with which state: total records, so that a new state does not compile without its own.
import type {
  Attempt,
  Deployment,
  DeploymentState,
  Device,
  NodeTroubleCode,
  Outcome,
  Phase,
  Stage,
  SyncState,
  Verdict,
} from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";

export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";

export const SYNC_TONE: Record<SyncState, Tone> = {
  "in-sync": "good",
  pending: "busy",
  failed: "bad",
  incompatible: "warn",
  held: "warn",
  unknown: "quiet",
};

export const SYNC_WORDS: Record<SyncState, string> = {
  "in-sync": "In sync",
  pending: "Pending",
  failed: "Failed",
  incompatible: "Incompatible",
  held: "Held",
  unknown: "No target",
};

const PHASE_WORDS: Record<Phase, string> = {
  idle: "Idle",
  downloading: "Downloading",
  verifying: "Verifying",
  activating: "Activating",
  probing: "Probing",
  soaking: "Soaking",
  "rolling-back": "Rolling back",
  blocked: "Blocked",
};

/** "Verifying v2.1"; a build is part of it, and the longest. */
function attemptWords({ phase, version, build }: Attempt): string {
  const isBuilding = build != null && build.elapsed_s !== null;
  return `${isBuilding ? "Building" : PHASE_WORDS[phase]} ${version}`;
}

export const STAGE_TONE: Record<Stage, Tone> = {
  pending: "busy",
  approved: "good",
  rejected: "bad",
  archived: "quiet",
  quarantined: "bad",
};

export const DEPLOYMENT_TONE: Record<DeploymentState, Tone> = {
  draft: "quiet",
  scheduled: "quiet",
  running: "busy",
  soaking: "busy",
  "awaiting-approval": "good",
  paused: "warn",
  finished: "good",
  aborted: "quiet",
  "rolling-back": "warn",
  "rolled-back": "warn",
};

export const DEPLOYMENT_WORDS: Record<DeploymentState, string> = {
  draft: "Draft",
  scheduled: "Scheduled",
  running: "Running",
  soaking: "Being watched",
  "awaiting-approval": "Awaiting approval",
  paused: "Paused",
  finished: "Finished",
  aborted: "Aborted",
  "rolling-back": "Rolling back",
  "rolled-back": "Rolled back",
};

export const OUTCOME_TONE: Record<Outcome, Tone> = {
  committed: "good",
  "rolled-back": "bad",
  rejected: "bad",
  failed: "warn",
};

export const OUTCOME_WORDS: Record<Outcome, string> = {
  committed: "Committed",
  "rolled-back": "Rolled back",
  rejected: "Rejected",
  failed: "Failed",
};

export const VERDICT_TONE: Record<Verdict, Tone> = { pass: "good", fail: "bad", inconclusive: "busy" };

export const NODE_TONE: Record<NodeTroubleCode, Tone> = {
  NOT_READY: "bad",
  NO_AGENT: "bad",
  AGENT_NOT_READY: "warn",
  NO_DEVICE: "warn",
  CORDONED: "quiet",
  LABEL_REFUSED: "warn",
  LABEL_NOT_WRITTEN: "warn",
};

export const NODE_WORDS: Record<NodeTroubleCode, string> = {
  NOT_READY: "NotReady",
  NO_AGENT: "No agent",
  AGENT_NOT_READY: "Agent not ready",
  NO_DEVICE: "Not enrolled",
  CORDONED: "Cordoned",
  LABEL_REFUSED: "Label refused",
  LABEL_NOT_WRITTEN: "Label not written",
};

export const badge = (tone: Tone, words: string): TemplateResult => html`<span class="badge ${tone}">${words}</span>`;

/** A person pauses, the hub halts: who reads "Paused" looks for somebody to ask. */
export const deploymentWords = ({ state, state_reason }: Pick<Deployment, "state" | "state_reason">) =>
  state === "paused" && state_reason.startsWith("Halted") ? "Halted" : DEPLOYMENT_WORDS[state];

export const deploymentBadge = (deployment: Pick<Deployment, "state" | "state_reason">) =>
  badge(DEPLOYMENT_TONE[deployment.state], deploymentWords(deployment));

/** Where that is not what its state says already. */
export const heldBadge = (device: Device) =>
  device.hold !== null && device.sync !== "held" ? badge("warn", "Held") : nothing;

/** @param later its group has a new target, but not this device yet: it runs what it should, and not what the group is named for */
export function standingBadge(device: Device, model: string, later: boolean): TemplateResult {
  const attempt = device.models[model]?.attempt;
  if (attempt) return badge("busy", attemptWords(attempt));
  if (later) return badge("quiet", "Waits for its wave");
  return badge(SYNC_TONE[device.sync], SYNC_WORDS[device.sync]);
}
