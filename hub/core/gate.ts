// The gate between two steps: conditions with a verdict and evidence each, and one verdict over all of them.
import type { GateCondition, GatePolicy, GateReport, Progress, Verdict } from "@context-edge/protocol";
import { type LabelCounts, wilsonInterval } from "./accuracy.ts";
import { judgeAccuracy, judgeRate } from "./gate-labels.ts";
import { type Pair, judgeLatency } from "./gate-latency.ts";
import { badEnds, reachable } from "./progress.ts";
import { grouped, percent, span } from "./say.ts";

/** One failure among three says nothing about a version. */
const MIN_PREDICTIONS = 100;

export const DEFAULT_GATE: Omit<GatePolicy, "soak_seconds"> = {
  min_committed_share: 1,
  max_error_share: 0.01,
  max_p95_ratio: 1.25,
  p95_floor_ms: 2,
  min_labels: 30,
  max_accuracy_drop: 0.02,
  max_false_positive_rate: null,
  max_false_negative_rate: null,
  require_labels: false,
};

export interface GateFacts {
  progress: Progress;
  /** Bad ends that the plan, or a person, allows. */
  allowedBad: number;
  /** Seconds that each device which runs it has been watched. */
  watched: readonly number[];
  predictions: number;
  errors: number;
  labels: LabelCounts;
  /** Labels of the version these devices ran before; null when there was none. */
  earlierLabels: LabelCounts | null;
  /** Registered accuracy of that version. */
  earlierAccuracy: number | null;
  /** What training promised of this one. */
  ownAccuracy: number | null;
  /** p95 before and after, of each device that measured both. */
  latency: readonly Pair[];
}

export function evaluateGate(policy: GatePolicy, facts: GateFacts, evaluatedAt: string): GateReport {
  const { labels } = facts;
  const conditions = [
    soak(policy, facts),
    committed(policy, facts),
    rollbacks(facts),
    errors(policy, facts),
    judgeLatency(policy, facts.latency),
    judgeAccuracy(policy, facts),
    judgeRate("false-positives", policy.max_false_positive_rate, policy, labels.falsePositives, labels.actualNormal),
    judgeRate("false-negatives", policy.max_false_negative_rate, policy, labels.falseNegatives, labels.actualFailure),
  ].filter((condition) => condition !== null);
  return { verdict: overall(conditions, policy), conditions, evaluated_at: evaluatedAt };
}

const ON_LABELS: readonly string[] = ["accuracy", "false-positives", "false-negatives"];

/**
 * What may stay inconclusive without holding a line up: a line without labels must be able to ship too, unless its policy
 * says otherwise, a first installation has no earlier version to be slower than, and some services count no predictions.
 */
function isNeeded({ name, evidence }: GateCondition, policy: GatePolicy): boolean {
  if (name === "latency") return false;
  if (name === "errors") return evidence["predictions"] !== 0;
  return policy.require_labels || !ON_LABELS.includes(name);
}

function overall(conditions: readonly GateCondition[], policy: GatePolicy): Verdict {
  if (conditions.some(({ verdict }) => verdict === "fail")) return "fail";
  const needed = conditions.filter((condition) => isNeeded(condition, policy));
  return needed.every(({ verdict }) => verdict === "pass") ? "pass" : "inconclusive";
}

/** The sentences of whatever keeps the gate shut. */
export function missingFor(report: GateReport, policy: GatePolicy): string[] {
  return report.conditions
    .filter(
      (condition) =>
        condition.verdict === "fail" || (condition.verdict === "inconclusive" && isNeeded(condition, policy)),
    )
    .map(({ detail }) => detail);
}

/** Only what was there can have been watched: as many devices as must run it must each have had the whole time. */
function soak(policy: GatePolicy, { watched, progress, allowedBad }: GateFacts): GateCondition {
  const wanted = policy.soak_seconds;
  const needed = Math.max(
    1,
    Math.ceil(countable(progress) * policy.min_committed_share) - forgiven(progress, allowedBad),
  );
  const longest = watched.toSorted((a, b) => b - a);
  const seconds = longest[needed - 1];
  const enough = watched.filter((one) => one >= wanted).length;
  const evidence = {
    seconds: seconds === undefined ? null : Math.floor(seconds),
    needed_seconds: wanted,
    devices: enough,
    needed_devices: needed,
  };
  if (seconds === undefined) {
    const detail = `watching for ${span(wanted)} starts when ${needed === 1 ? "a device runs" : `${needed} devices run`} it`;
    return { name: "soak", verdict: "inconclusive", detail, evidence };
  }
  if (seconds >= wanted)
    return { name: "soak", verdict: "pass", detail: `watched for ${span(wanted)}, as required`, evidence };
  const others = enough > 0 ? `; ${enough} of ${needed} devices have had it` : "";
  const detail = `watched for ${span(Math.floor(seconds))} of ${span(wanted)}${others}`;
  return { name: "soak", verdict: "inconclusive", detail, evidence };
}

/** A held device can be reached and still does not run it: it counts against the share, an offline one does not. */
const countable = (progress: Progress) => reachable(progress) + progress.held;
const forgiven = (progress: Progress, allowedBad: number) => Math.min(badEnds(progress), allowedBad);

function committed({ min_committed_share: share }: GatePolicy, { progress, allowedBad }: GateFacts): GateCondition {
  const all = countable(progress);
  const { offline, incompatible } = progress;
  const apart = [offline > 0 ? `, ${offline} offline` : "", incompatible > 0 ? `, ${incompatible} incompatible` : ""];
  const enough = progress.committed > 0 && progress.committed + forgiven(progress, allowedBad) >= all * share;
  return {
    name: "committed",
    verdict: enough ? "pass" : "inconclusive",
    detail: `${progress.committed} of ${all} reachable devices run it${apart.join("")}`,
    evidence: { committed: progress.committed, reachable: all, offline, incompatible, needed_share: share },
  };
}

/** The sentences of what speaks against it. */
export function failedConditions(report: GateReport): string[] {
  return report.conditions.filter(({ verdict }) => verdict === "fail").map(({ detail }) => detail);
}

function rollbacks({ progress, allowedBad }: GateFacts): GateCondition {
  const bad = badEnds(progress);
  const evidence = { rolled_back: progress.rolled_back, failed: progress.failed, allowed: allowedBad };
  if (bad === 0) return { name: "rollbacks", verdict: "pass", detail: "no device rolled it back or failed", evidence };
  const parts = [
    progress.rolled_back > 0 ? `${progress.rolled_back} rolled it back` : "",
    progress.failed > 0 ? `${progress.failed} could not install it` : "",
  ].filter((part) => part !== "");
  const allowed = allowedBad > 0 ? `, allowed are ${allowedBad}` : "";
  return {
    name: "rollbacks",
    verdict: bad > allowedBad ? "fail" : "pass",
    detail: `of ${progress.total - progress.waiting} devices ${parts.join(" and ")}${allowed}`,
    evidence,
  };
}

function errors({ max_error_share: most }: GatePolicy, { predictions, errors: failed }: GateFacts): GateCondition {
  const all = predictions + failed;
  const { low, high } = wilsonInterval(failed, all);
  const evidence = { errors: failed, predictions: all, allowed_share: most, low, high };
  const condition = (verdict: Verdict, detail: string): GateCondition => ({
    name: "errors",
    verdict,
    detail,
    evidence,
  });
  if (all === 0) return condition("inconclusive", "no predictions were counted yet");
  const found = `${grouped(failed)} of ${grouped(all)} predictions failed`;
  if (all < MIN_PREDICTIONS)
    return condition("inconclusive", `${found}, too few to judge by (${MIN_PREDICTIONS} needed)`);
  const allowed = `${found}, allowed is ${percent(most)}`;
  if (low > most) return condition("fail", allowed);
  // Over the limit, but it may be chance: neither good nor bad yet.
  return condition(failed / all <= most ? "pass" : "inconclusive", allowed);
}
