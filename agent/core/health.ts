// Is the service healthy and fast enough with this file? Figures and a policy in; pass, fail or inconclusive with a sentence out.
import type { Evidence, Measurement, ProbePolicy } from "@context-edge/protocol";
import { explainLoadFailure } from "./engine.ts";
import { strainOf } from "./strain.ts";
import type { Examination, Judgement } from "./steps.ts";

interface Limit {
  ms: number;
  code: "LATENCY_OVER_LIMIT" | "LATENCY_OVER_BASELINE";
  words: string;
}

/** With this few samples nothing is said, not even that the median is far over the limit. */
const LEAST_SAMPLES = 3;

/** The candidate, against the limits of its policy and the baseline taken minutes ago on this device. */
export function judgeCandidate(
  examination: Examination,
  policy: ProbePolicy,
  baseline: Measurement | null,
  expectedDigest: string,
): Judgement {
  const found = judgeService(examination, policy, expectedDigest);
  if (found.verdict !== "pass") return found;
  const measured = examination.measurement;
  if (!measured) return policy.max_p95_ms === null ? found : notTimed(found.evidence);
  // A baseline taken while the device was throttled is slower than the old model is: a limit too kind, but better than none.
  const limit = tightestLimit(policy, baseline);
  const evidence: Evidence = { ...found.evidence, ...(limit ? { limit_p95_ms: round(limit.ms) } : {}) };

  // A model so slow that the window holds few samples is slow, not unproven: the median alone is over the limit.
  const good = measured.samples - measured.errors;
  const isPlainlySlow = limit !== null && good >= LEAST_SAMPLES && (measured.p50_ms ?? 0) > limit.ms;
  if (good < policy.min_samples && !isPlainlySlow) {
    return {
      verdict: "inconclusive",
      code: "TOO_FEW_SAMPLES",
      message: `only ${good} good answers were timed, at least ${policy.min_samples} are needed`,
      nextStep: "Look at the load and the power mode of the device, then retry the deployment.",
      evidence,
    };
  }
  if (baseline && powerModeChanged(baseline, measured)) {
    return {
      verdict: "inconclusive",
      code: "POWER_MODE_CHANGED",
      message: "the power mode changed between the baseline and the probe, so their times cannot be compared",
      nextStep: "Fix the power mode of the device, then retry the deployment.",
      evidence,
    };
  }
  if (limit && measured.p95_ms === null) return notTimed(evidence);
  if (limit && measured.p95_ms !== null && measured.p95_ms > limit.ms) {
    // Heat and clocks may explain slowness, and nothing else: wrong answers and errors were decided before.
    const strain = strainOf(measured, baseline);
    if (strain !== null) {
      return {
        verdict: "inconclusive",
        code: "THROTTLED",
        message: `p95 was ${ms(measured.p95_ms)}, allowed ${ms(limit.ms)}, but ${strain}`,
        nextStep: "Look at cooling, power supply and power mode of the device, then retry the deployment.",
        evidence,
      };
    }
    return {
      verdict: "fail",
      code: limit.code,
      message: `p95 was ${ms(measured.p95_ms)}, allowed ${ms(limit.ms)} (${limit.words})`,
      nextStep:
        "Use a faster build of this version, or raise the limit in the deployment's policy if this is acceptable.",
      evidence,
    };
  }
  return { ...found, evidence };
}

/** A limit nobody could hold the model against was not kept. */
function notTimed(evidence: Evidence): Judgement {
  return {
    verdict: "inconclusive",
    code: "NOT_TIMED",
    message: "there is a limit for its latency, but this device's probe gave no times",
    nextStep: "Set AGENT_PROBE to one that measures, or take the limit out of the deployment's policy.",
    evidence,
  };
}

/** What any served file must show: ready, itself, right answers, few errors. Used for the restored model too. */
export function judgeService(examination: Examination, policy: ProbePolicy, expectedDigest: string): Judgement {
  const { measurement, identity, golden } = examination;
  const evidence: Evidence = {
    ...(golden ? { golden } : {}),
    ...(measurement ? { candidate: measurement } : {}),
    ...(examination.detail ? { detail: examination.detail.slice(0, 4_000) } : {}),
  };
  const fail = (code: string, message: string, nextStep: string, more: Evidence = {}): Judgement => ({
    verdict: "fail",
    code,
    message,
    nextStep,
    evidence: { ...evidence, ...more },
  });
  if (examination.crash !== null) {
    const message = `the inference service ends again and again: ${examination.crash}`;
    return fail("CRASH_LOOP", message, "Read the inference service's own log for why it ends.");
  }
  if (!examination.ready) {
    const known = explainLoadFailure(examination.detail);
    if (known) return fail(known.code, `the inference service is not ready: ${known.message}`, known.nextStep);
    const message = `the inference service was not ready within ${seconds(policy.cold_start_ms)}`;
    return fail("NOT_READY", message, "Read the inference service's own log for why it could not load the file.");
  }
  if (typeof identity === "object") {
    return fail(
      "IDENTITY_MISMATCH",
      `the inference service serves another file (${identity.servesDigest.slice(0, 12)}) than the one that was activated`,
      "Check that the service loads the slot link and that the reloader really reloads it.",
      { expected_digest: expectedDigest, actual_digest: identity.servesDigest.slice(0, 128) },
    );
  }
  if (golden && golden.failed > 0) {
    const worst = golden.worst;
    const example = worst
      ? `; for example ${worst.output}[${worst.index}] was ${figure(worst.actual)}, expected ${figure(worst.expected)}`
      : "";
    const message = `${golden.failed} of ${golden.checked} golden samples were answered wrongly${example}`;
    return fail("GOLDEN_MISMATCH", message, "Do not use this version; check how it was exported and converted.");
  }
  if (measurement && measurement.samples > 0) {
    const share = measurement.errors / measurement.samples;
    if (share > policy.max_error_share) {
      const message = `${measurement.errors} of ${measurement.samples} requests failed, allowed ${percent(policy.max_error_share)}`;
      return fail("ERRORS_OVER_LIMIT", message, "Read the inference service's own log for the errors.");
    }
  }
  return { verdict: "pass", code: "OK", message: passWords(examination), nextStep: "", evidence };
}

/** @returns p95 the candidate must stay under, or null when neither a limit nor a baseline is at hand. */
function tightestLimit(policy: ProbePolicy, baseline: Measurement | null): Limit | null {
  const limits: Limit[] = [];
  if (policy.max_p95_ms !== null) {
    limits.push({ ms: policy.max_p95_ms, code: "LATENCY_OVER_LIMIT", words: "the absolute limit of the policy" });
  }
  if (baseline && baseline.p95_ms !== null && baseline.samples - baseline.errors >= policy.min_samples) {
    limits.push({
      ms: baseline.p95_ms * policy.baseline_ratio + policy.baseline_floor_ms,
      code: "LATENCY_OVER_BASELINE",
      words: `baseline ${ms(baseline.p95_ms)} × ${policy.baseline_ratio} + ${policy.baseline_floor_ms} ms`,
    });
  }
  return limits.toSorted((a, b) => a.ms - b.ms)[0] ?? null;
}

function powerModeChanged(before: Measurement, after: Measurement): boolean {
  return before.tags["power_mode"] !== after.tags["power_mode"];
}

function passWords({ measurement }: Examination): string {
  if (!measurement || measurement.p95_ms === null) return "healthy; not timed";
  return `healthy; p95 ${ms(measurement.p95_ms)} over ${measurement.samples} requests`;
}

export const ms = (value: number) => `${value.toFixed(1)} ms`;
const seconds = (value: number) => `${Math.round(value / 1_000)} s`;
const percent = (share: number) => `${Number((share * 100).toFixed(2))} %`;
const figure = (value: number) => String(Number(value.toPrecision(4)));
const round = (value: number) => Number(value.toFixed(3));
