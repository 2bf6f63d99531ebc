// Watching the candidate for its soak time: it must stay up without a break, stay itself and keep answering.
import type { Digest, Golden, ProbePolicy } from "@context-edge/protocol";
import type { Mishap } from "../core/steps.ts";
import { pause } from "./pause.ts";
import type { Probe } from "./probes/probe.ts";

export interface Soaking {
  probe: Probe;
  digest: Digest;
  forMs: number;
  policy: ProbePolicy;
  golden: Golden | null;
  /** Words when the service's process ends again and again. */
  isCrashing?: ((signal: AbortSignal) => Promise<string | null>) | undefined;
  signal: AbortSignal;
}

/** One lost answer is a hiccup; this many in a row, or more than the share of all, is not. */
const BAD_IN_A_ROW = 3;
const MAX_BAD_SHARE = 0.2;
/**
 * A service that went away, or began anew, starts the watch again: stable is who is up for the whole time. This many
 * times is a crash loop, however short each absence is.
 */
const FALLS = 3;

export async function soak(soaking: Soaking): Promise<Mishap | null> {
  const { probe, digest, forMs, policy, golden, isCrashing, signal } = soaking;
  const startedAt = performance.now();
  const everyMs = Math.min(1_000, Math.max(50, forMs / 10));
  const tally = { checks: 0, bad: 0, badInARow: 0, falls: 0 };
  let stableSince = startedAt;
  let wasUp = true;
  let predictions = 0;
  for (;;) {
    const seen = await probe.look(signal);
    if (seen.ready && seen.digest !== null && seen.digest !== digest) return otherServed(digest, seen.digest);
    const isGood = seen.ready && (await probe.isAnswering({ policy, golden }, signal));
    // A process that was gone for less than a look is known by its counters, which began anew.
    const counted = seen.ready ? ((await probe.counters(signal))?.predictions ?? predictions) : predictions;
    const hasFallen = (wasUp && !seen.ready) || (wasUp && counted < predictions);
    wasUp = seen.ready;
    predictions = counted;
    tally.checks += 1;
    tally.bad += isGood ? 0 : 1;
    tally.badInARow = isGood ? 0 : tally.badInARow + 1;
    tally.falls += hasFallen ? 1 : 0;
    const now = performance.now();
    const crash = isGood && !hasFallen ? null : await isCrashing?.(signal);
    if (crash) return crashing(crash, now - startedAt);
    if (tally.falls >= FALLS) return crashing(`it went away ${tally.falls} times`, now - startedAt);
    if (tally.badInARow >= BAD_IN_A_ROW) return unhealthy(tally, now - startedAt, seen.detail);
    if (hasFallen) stableSince = now;
    // The last look must be a good one, so an unhealthy end prolongs the soak until it is clear.
    if (now - stableSince >= forMs && isGood) break;
    await pause(everyMs, signal);
    signal.throwIfAborted();
  }
  const isTooShaky = tally.bad / tally.checks > MAX_BAD_SHARE;
  return isTooShaky ? unhealthy(tally, performance.now() - startedAt, "") : null;
}

function unhealthy(tally: { checks: number; bad: number }, afterMs: number, detail: string): Mishap {
  return {
    code: "SOAK_UNHEALTHY",
    message: `the service failed ${tally.bad} of ${tally.checks} checks within ${seconds(afterMs)} of watching`,
    nextStep: "Read the inference service's own log for why it stopped answering.",
    kind: "permanent",
    ...(detail === "" ? {} : { evidence: { detail } }),
  };
}

function crashing(words: string, afterMs: number): Mishap {
  return {
    code: "CRASH_LOOP",
    message: `within ${seconds(afterMs)} of watching the service ended again and again: ${words}`,
    nextStep: "Read the inference service's own log for why it ends.",
    kind: "permanent",
  };
}

function otherServed(expected: string, actual: string): Mishap {
  return {
    code: "IDENTITY_MISMATCH",
    message: `while being watched the service went over to another file (${actual.slice(0, 12)})`,
    nextStep: "Find out what else loads models into this service.",
    kind: "permanent",
    evidence: { expected_digest: expected, actual_digest: actual.slice(0, 128) },
  };
}

const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
