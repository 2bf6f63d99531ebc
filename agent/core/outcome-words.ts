// How attempts ended, in words for somebody who is no programmer.
import type { OutcomeReport } from "@context-edge/protocol";

export const OUTCOME_WORDS: Record<OutcomeReport["outcome"], string> = {
  committed: "Installed",
  "rolled-back": "Tried and undone",
  rejected: "Refused before it ran",
  failed: "Could not be installed",
};

/** Why an attempt ended, for somebody who is no programmer: fits behind "tried and undone: ". Unknown codes say nothing. */
const REASON_WORDS: Record<string, string> = {
  LATENCY_OVER_LIMIT: "too slow",
  LATENCY_OVER_BASELINE: "too slow",
  GOLDEN_MISMATCH: "wrong answers",
  ERRORS_OVER_LIMIT: "too many errors",
  NOT_READY: "the service did not start with it",
  IDENTITY_MISMATCH: "the service kept another file",
  TOO_FEW_SAMPLES: "it could not be measured",
  POWER_MODE_CHANGED: "the power mode changed",
  THROTTLED: "the device was throttled",
  INCONCLUSIVE: "it could not be measured",
  NOT_TIMED: "it could not be measured",
  CRASH_LOOP: "the service ended again and again",
  BUILD_CRASHED: "its engine could not be built",
  BUILD_FAILED: "its engine could not be built",
  BUILD_MODEL_UNSUPPORTED: "its engine could not be built",
  BUILD_NOT_SAVED: "its engine could not be written",
  BUILD_OPTION_UNKNOWN: "not for this TensorRT",
  BUILD_OUT_OF_MEMORY: "not enough memory to build its engine",
  BUILD_SHAPES_WRONG: "its build recipe is wrong",
  BUILD_TIMEOUT: "building its engine took too long",
  BUILD_TOOL_MISSING: "nothing here builds engines",
  BUILD_UNLOADABLE: "its engine does not load",
  BUILD_WRONG_TENSORRT: "trtexec is of another TensorRT",
  ENGINE_WRAPPED: "not built for this device",
  RELOADER_UNREACHABLE: "the service could not be reached",
  QUARANTINED: "refused before",
  NO_COMPATIBLE_VARIANT: "not built for this device",
  DIGEST_MISMATCH: "damaged file",
  SIZE_MISMATCH: "damaged file",
  FILE_DAMAGED: "damaged on the disk",
  STATEMENT_UNPROVED: "not signed as it should be",
  RELEASE_BELOW_MINIMUM: "a release that may not come back",
  ENGINE_NO_PLAN: "not built for this device",
  ENGINE_VERSION_MISMATCH: "not built for this device",
  ENGINE_WRONG_GPU: "not built for this device",
  OUT_OF_GPU_MEMORY: "not enough memory",
  RELOAD_FAILED: "the service did not start with it",
  SOAK_UNHEALTHY: "it did not stay healthy",
  DISK_FULL: "disk full",
  DISK_BUDGET: "no room for it",
  DISK_READ_ONLY: "the disk cannot be written",
  DISK_ERROR: "the disk fails",
  CONNECTION_FAILED: "the network failed",
  DNS_FAILED: "the network failed",
  LINK_TOO_SLOW: "the network is too slow",
  TIMEOUT: "the network failed",
  ROLLED_BACK_BY_HAND: "by hand",
  INTERRUPTED: "interrupted too often",
};

/** "Tried and undone: too slow" */
export function outcomeWords({ outcome, code }: Pick<OutcomeReport, "outcome" | "code">): string {
  const reason = outcome === "committed" ? undefined : REASON_WORDS[code];
  return reason === undefined ? OUTCOME_WORDS[outcome] : `${OUTCOME_WORDS[outcome]}: ${reason}`;
}
