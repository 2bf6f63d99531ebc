// The examination of the service with a file: ready in time, serving that file, answering rightly, and how fast.
import type { Golden, Measurement } from "@context-edge/protocol";
import type { Examination, Subject } from "../core/steps.ts";
import { pause } from "./pause.ts";
import type { GoldenFinding } from "./probes/golden.ts";
import type { Look, Probe } from "./probes/probe.ts";

export interface Examining {
  probe: Probe;
  subject: Subject;
  golden: Golden | null;
  /** How long a ready service may go on serving another file: short after a reload, long when it notices by itself. */
  identityWithinMs: number;
  /** Words when the service's process ends again and again: nobody waits the whole budget for that. */
  isCrashing?: ((signal: AbortSignal) => Promise<string | null>) | undefined;
  signal: AbortSignal;
}

const LOOK_EVERY_MS = 250;

/** Golden samples come before the timed run; the run is made even when they fail, so that the evidence is whole. */
export async function examine(examining: Examining): Promise<Examination> {
  const { probe, subject, golden, signal } = examining;
  const seen = await untilServing(examining);
  const examination: Examination = {
    ready: seen.ready,
    crash: seen.crash ?? null,
    identity: identityOf(seen, subject.digest),
    golden: null,
    measurement: null,
    detail: seen.detail,
  };
  if (!seen.ready || typeof examination.identity === "object") return examination;
  const probing = { policy: subject.policy, golden };
  const answered = subject.golden === "run" ? await probe.checkGolden(probing, signal) : null;
  const measurement = await probe.measure(probing, signal);
  const isUnconfirmed = examination.identity === "unconfirmed";
  const detail = [
    seen.detail,
    isUnconfirmed ? "identity unconfirmed: the service does not say which file it serves" : "",
    measurement ? "" : "not timed: this service cannot be asked for an answer",
    answered?.note ?? "",
  ];
  return {
    ...examination,
    golden: answered ? withoutNote(answered) : null,
    measurement,
    detail: detail.filter((one) => one !== "").join("; "),
  };
}

/** The running model before a swap. @returns no measurement, with the reason, when it cannot serve as a baseline. */
export async function measureBaseline(
  examining: Omit<Examining, "identityWithinMs">,
): Promise<{ measurement: Measurement | null; note: string }> {
  const { probe, subject, golden, signal } = examining;
  const seen = await untilServing({ ...examining, identityWithinMs: 0 });
  if (!seen.ready) return { measurement: null, note: `no baseline: the running model is not ready (${seen.detail})` };
  if (typeof identityOf(seen, subject.digest) === "object") {
    return { measurement: null, note: "no baseline: the service serves another file than the current one" };
  }
  const measurement = await probe.measure({ policy: subject.policy, golden }, signal);
  if (!measurement) return { measurement: null, note: "no baseline: this service cannot be timed" };
  const good = measurement.samples - measurement.errors;
  const isThin = good < subject.policy.min_samples;
  return { measurement, note: isThin ? `the baseline holds only ${good} good answers, so no ratio was drawn` : "" };
}

async function untilServing({ probe, subject, identityWithinMs, isCrashing, signal }: Examining): Promise<Look> {
  const deadline = performance.now() + subject.readyWithinMs;
  let readySince: number | null = null;
  for (;;) {
    const seen = await probe.look(signal);
    const now = performance.now();
    if (seen.ready && typeof identityOf(seen, subject.digest) !== "object") return seen;
    const crash = seen.ready ? null : await isCrashing?.(signal);
    if (crash) return { ready: false, digest: null, detail: crash, crash };
    readySince = seen.ready ? (readySince ?? now) : null;
    const isOtherForGood = readySince !== null && now - readySince >= identityWithinMs;
    if (isOtherForGood || now >= deadline) return seen;
    await pause(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

/** Words stand in the detail; evidence has figures only. */
function withoutNote({ note: _note, ...figures }: GoldenFinding): NonNullable<Examination["golden"]> {
  return figures;
}

function identityOf(seen: Look, digest: string): Examination["identity"] {
  if (seen.digest === null) return "unconfirmed";
  return seen.digest === digest ? "confirmed" : { servesDigest: seen.digest };
}
