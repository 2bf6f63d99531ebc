// What the device tells the hub and the person before it about one model, from state alone.
import type { Attempt, BuildProgress, InferenceStats, Installed, ObservedModel, Phase } from "@context-edge/protocol";
import { builtEngine, variantOf } from "./built.ts";
import { timestamp } from "./instant.ts";
import { waitingOf } from "./permit.ts";
import type { Transfer } from "./transfer-rate.ts";
import { phaseOf, type Slot, type State } from "./state.ts";

/** What runs beside the loop, null when it does not. */
export interface UnderWay {
  transfer: Transfer | null;
  build: BuildProgress | null;
}

export function observedModel(state: State, now: UnderWay, stats: InferenceStats | null): ObservedModel {
  const { journal, disk } = state;
  return {
    current: installed(disk.current),
    backup: installed(disk.backup),
    current_since: disk.current.is === "file" ? timestamp(disk.current.since) : null,
    attempt: attemptOf(state, now),
    waiting: waitingOf(state),
    last_outcome: journal.lastOutcome,
    quarantined: journal.refusals.map(({ digest, code }) => ({ digest, code })),
    stats,
  };
}

function attemptOf({ journal }: Pick<State, "journal">, { transfer, build }: UnderWay): Attempt | null {
  const { transaction } = journal;
  if (!("attempt" in transaction)) return null;
  const { candidate, startedAt, steps } = transaction.attempt;
  return {
    deployment_id: candidate.deploymentId,
    version: candidate.version,
    digest: candidate.digest,
    phase: phaseOf(transaction),
    started_at: startedAt,
    steps,
    download: transfer && {
      bytes: transfer.bytes,
      total_bytes: candidate.sizeBytes,
      rate_bytes_per_s: transfer.rateBytesPerS,
      left_s: transfer.leftS,
    },
    ...(build ? { build } : {}),
  };
}

function installed(slot: Slot): Installed | null {
  if (slot.is !== "file") return null;
  const engine = builtEngine(slot);
  return { version: slot.version, digest: variantOf(slot), ...(engine ? { engine } : {}) };
}

/** The phase of a device with several models: the one a reader would ask about first. */
export function foremostPhase(phases: readonly Phase[]): Phase {
  return URGENCY.find((phase) => phases.includes(phase)) ?? "idle";
}

const URGENCY: readonly Phase[] = [
  "blocked",
  "rolling-back",
  "activating",
  "probing",
  "soaking",
  "verifying",
  "downloading",
  "idle",
];
