// Where a device stands against its target, from what it reported and what its group should run.
import {
  isInWave,
  type Digest,
  type Installed,
  type Observed,
  type ObservedModel,
  type OutcomeReport,
  type Phase,
  type SyncState,
  type VersionId,
} from "@context-edge/protocol";

/** A group's target for one model, with what is needed to recognise it on a device. */
export interface TargetView {
  version: VersionId;
  deploymentId: string;
  /** What a rollback gives back. */
  previousVersion: VersionId | null;
  /** What devices outside the wave run; null: they stay as they are. */
  outsideVersion: VersionId | null;
  since: string;
  share: number;
  paused: boolean;
  retry: number;
  /** By device: the time of an outcome that a retry made void. */
  excused: Readonly<Record<string, string>>;
  digests: readonly Digest[];
  /** Of its variants whose engines the devices build: the same file by another recipe is not this version. */
  recipes?: readonly Digest[];
}

export interface Standing {
  sync: SyncState;
  phase: Phase;
  /** The outcome of the very deployment that set the target, if the device has told one. */
  outcome: OutcomeReport | null;
  /** By its own report. */
  runsTarget: boolean;
  /** It belongs to the wave that its target has reached. */
  inWave: boolean;
  /** It waits on purpose: for a hold's end, its window, or a veto's end. */
  waits: boolean;
  /** Time that the build of its engine may take, beside the deadline of its phase. */
  buildMs?: number;
}

/** Codes with which a device says that no variant fits it: another module, another TensorRT, or nothing to build an engine with. */
const INCOMPATIBLE_CODES: readonly string[] = [
  "BUILD_TOOL_MISSING",
  "BUILD_WRONG_TENSORRT",
  "ENGINE_VERSION_MISMATCH",
  "NO_COMPATIBLE_VARIANT",
];
/** Whatever a device says, it is waited for no longer than this. */
const LONGEST_BUILD_MS = 24 * 3_600_000;

export function standingOf(
  deviceId: string,
  observed: Observed | null,
  model: ObservedModel | undefined,
  lastOutcome: OutcomeReport | null,
  target: TargetView | undefined,
): Standing {
  const phase = model?.attempt?.phase ?? (observed?.phase === "blocked" ? "blocked" : "idle");
  // A device outside the wave may be trying the version before, under the same deployment: that says nothing of the target.
  const isOfTarget =
    target !== undefined &&
    lastOutcome?.deployment_id === target.deploymentId &&
    lastOutcome.version === target.version;
  const outcome = isOfTarget && target.excused[deviceId] !== lastOutcome.at ? lastOutcome : null;
  const waits = model?.waiting != null && model.waiting.for !== "retry";
  const inWave = target !== undefined && isInWave(deviceId, target.deploymentId, target.share);
  const { build } = model?.attempt ?? {};
  const building = build ? { buildMs: Math.min(build.deadline_s * 1_000, LONGEST_BUILD_MS) } : {};
  const standing = (sync: SyncState, runsTarget = false): Standing => {
    return { sync, phase, outcome, runsTarget, inWave, waits, ...building };
  };
  if (!target || !observed) return standing("unknown");
  // The device's own report of what it runs is the proof, not the outcome it announced: success counts once it reported again.
  const runsTarget = runs(target, model?.current ?? null);
  if (runsTarget && !model?.attempt) return standing("in-sync", true);
  if (!inWave) return standing(model?.attempt ? "pending" : "in-sync");
  if (outcome && outcome.outcome !== "committed" && !model?.attempt) {
    return standing(INCOMPATIBLE_CODES.includes(outcome.code) ? "incompatible" : "failed");
  }
  if (observed.phase === "blocked") return standing("failed");
  if (observed.hold) return standing("held");
  return standing("pending");
}

function runs({ digests, recipes = [] }: TargetView, current: Installed | null): boolean {
  if (!current || !digests.includes(current.digest)) return false;
  return current.engine === undefined || recipes.includes(current.engine.recipe);
}

/** Of several models, the one a reader must know about. */
const WORST_FIRST: readonly SyncState[] = ["failed", "incompatible", "held", "pending", "unknown", "in-sync"];

export function worstOf(states: readonly SyncState[]): SyncState {
  return WORST_FIRST.find((state) => states.includes(state)) ?? "unknown";
}
