// The gate between two steps: conditions with a verdict and evidence each, and one verdict over all of them.
import type { GateCondition, GatePolicy, GateReport, Progress, Verdict } from "@context-edge/protocol";
import type { LabelCounts } from "./accuracy.ts";
import { judgeAccuracy, judgeRate } from "./gate-labels.ts";
import { type Pair, judgeLatency } from "./gate-latency.ts";
import { badEnds, reachable } from "./progress.ts";
import { percent, span } from "./say.ts";

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
  /** Seconds since every reachable device had settled; null while some have not. */
  soakedSeconds: number | null;
  predictions: number;
  errors: number;
  labels: LabelCounts;
  /** Labels of the version these devices ran before; null when there was none. */
  earlierLabels: LabelCounts | null;
  /** Registered accuracy of that version. */
  earlierAccuracy: number | null;
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
 * says otherwise, and a first installation has no earlier version to be slower than.
 */
function isNeeded({ name }: GateCondition, policy: GatePolicy): boolean {
  if (name === "latency") return false;
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

function soak({ soak_seconds: wanted }: GatePolicy, { soakedSeconds }: GateFacts): GateCondition {
  const evidence = { seconds: soakedSeconds === null ? null : Math.floor(soakedSeconds), needed_seconds: wanted };
  if (soakedSeconds === null) {
    const detail = `watching for ${span(wanted)} starts when every device has settled`;
    return { name: "soak", verdict: "inconclusive", detail, evidence };
  }
  const done = soakedSeconds >= wanted;
  const detail = done
    ? `watched for ${span(wanted)}, as required`
    : `watched for ${span(Math.floor(soakedSeconds))} of ${span(wanted)}`;
  return { name: "soak", verdict: done ? "pass" : "inconclusive", detail, evidence };
}

function committed({ min_committed_share: share }: GatePolicy, { progress, allowedBad }: GateFacts): GateCondition {
  // A held device can be reached and still does not run it: it counts against the share, an offline one does not.
  const all = reachable(progress) + progress.held;
  const { offline, incompatible } = progress;
  const apart = [offline > 0 ? `, ${offline} offline` : "", incompatible > 0 ? `, ${incompatible} incompatible` : ""];
  const forgiven = Math.min(badEnds(progress), allowedBad);
  const enough = progress.committed > 0 && progress.committed + forgiven >= all * share;
  return {
    name: "committed",
    verdict: enough ? "pass" : "inconclusive",
    detail: `${progress.committed} of ${all} reachable devices run it${apart.join("")}`,
    evidence: { committed: progress.committed, reachable: all, offline, incompatible, needed_share: share },
  };
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
  const evidence = { errors: failed, predictions: all, allowed_share: most };
  if (all === 0) {
    return { name: "errors", verdict: "pass", detail: "no predictions were made yet, so none failed", evidence };
  }
  const within = failed / all <= most;
  const detail = `${failed} of ${all} predictions failed, allowed is ${percent(most)}`;
  return { name: "errors", verdict: within ? "pass" : "fail", detail, evidence };
}
