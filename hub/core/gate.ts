// The gate of a pilot: conditions over time, devices, errors and labels, each with a verdict and a sentence that has the figures in it.
import type { GateCondition, GateReport, Progress, Verdict } from "@context-edge/protocol";
import { accuracyOf, wilsonInterval, type LabelCounts } from "./accuracy.ts";
import { badEnds } from "./progress.ts";

export interface GatePolicy {
  soakSeconds: number;
  /** Of the devices that can be reached and fit, how many must have committed. */
  minCommittedShare: number;
  maxErrorShare: number;
  /** Fewer labels than this prove nothing, in either direction. */
  minLabels: number;
  /** How far labelled accuracy may certainly be below what the earlier version promised. */
  maxAccuracyDrop: number;
}

export const DEFAULT_GATE: Omit<GatePolicy, "soakSeconds"> = {
  minCommittedShare: 1,
  maxErrorShare: 0.01,
  minLabels: 30,
  maxAccuracyDrop: 0.02,
};

export interface GateFacts {
  progress: Progress;
  /** Seconds since every reachable device had settled; null while some have not. */
  soakedSeconds: number | null;
  predictions: number;
  errors: number;
  labels: LabelCounts;
  /** Registered accuracy of the version the pilot ran before. */
  earlierAccuracy: number | null;
}

export function evaluateGate(policy: GatePolicy, facts: GateFacts, evaluatedAt: string): GateReport {
  const conditions = [
    soak(policy, facts),
    committed(policy, facts),
    rollbacks(facts),
    errors(policy, facts),
    accuracy(policy, facts),
  ];
  return { verdict: overall(conditions), conditions, evaluated_at: evaluatedAt };
}

/** Missing labels are said, not waited for: a line without labels must be able to ship too. */
const OPTIONAL: readonly string[] = ["accuracy"];

function overall(conditions: readonly GateCondition[]): Verdict {
  if (conditions.some(({ verdict }) => verdict === "fail")) return "fail";
  const needed = conditions.filter(({ name }) => !OPTIONAL.includes(name));
  return needed.every(({ verdict }) => verdict === "pass") ? "pass" : "inconclusive";
}

/** The sentences of whatever keeps the gate shut. */
export function missingFor(report: GateReport): string[] {
  return report.conditions
    .filter(({ name, verdict }) => verdict === "fail" || (verdict === "inconclusive" && !OPTIONAL.includes(name)))
    .map(({ detail }) => detail);
}

function soak({ soakSeconds }: GatePolicy, { soakedSeconds }: GateFacts): GateCondition {
  if (soakedSeconds === null) {
    return {
      name: "soak",
      verdict: "inconclusive",
      detail: `watching for ${span(soakSeconds)} starts when every device has settled`,
    };
  }
  const done = soakedSeconds >= soakSeconds;
  return {
    name: "soak",
    verdict: done ? "pass" : "inconclusive",
    detail: done
      ? `watched for ${span(soakSeconds)}, as required`
      : `watched for ${span(Math.floor(soakedSeconds))} of ${span(soakSeconds)}`,
  };
}

function committed({ minCommittedShare }: GatePolicy, { progress }: GateFacts): GateCondition {
  const reachable = progress.total - progress.offline - progress.incompatible;
  const detail = `${progress.committed} of ${reachable} reachable devices run it${
    progress.offline > 0 ? `, ${progress.offline} offline` : ""
  }${progress.incompatible > 0 ? `, ${progress.incompatible} incompatible` : ""}`;
  const enough = reachable > 0 && progress.committed >= reachable * minCommittedShare;
  return { name: "committed", verdict: enough ? "pass" : "inconclusive", detail };
}

function rollbacks({ progress }: GateFacts): GateCondition {
  const bad = badEnds(progress);
  if (bad === 0) return { name: "rollbacks", verdict: "pass", detail: "no device rolled it back or failed" };
  const parts = [
    progress.rolled_back > 0 ? `${progress.rolled_back} rolled it back` : "",
    progress.failed > 0 ? `${progress.failed} could not install it` : "",
  ].filter((part) => part !== "");
  return { name: "rollbacks", verdict: "fail", detail: `of ${progress.total} devices ${parts.join(" and ")}` };
}

function errors({ maxErrorShare }: GatePolicy, { predictions, errors: failed }: GateFacts): GateCondition {
  const all = predictions + failed;
  if (all === 0) return { name: "errors", verdict: "pass", detail: "no predictions were made yet, so none failed" };
  const within = failed / all <= maxErrorShare;
  return {
    name: "errors",
    verdict: within ? "pass" : "fail",
    detail: `${failed} of ${all} predictions failed, allowed is ${percent(maxErrorShare)}`,
  };
}

function accuracy(policy: GatePolicy, { labels, earlierAccuracy }: GateFacts): GateCondition {
  const measured = accuracyOf(labels);
  if (measured === null || labels.total < policy.minLabels) {
    const detail = `${labels.total} labelled predictions, too few to judge accuracy (${policy.minLabels} needed)`;
    return { name: "accuracy", verdict: "inconclusive", detail };
  }
  const { low, high } = wilsonInterval(labels.correct, labels.total);
  const found = `labelled accuracy ${percent(measured)} (${percent(low)} to ${percent(high)}, ${labels.total} labels)`;
  if (earlierAccuracy === null)
    return { name: "accuracy", verdict: "pass", detail: `${found}, nothing to compare with` };
  const floor = earlierAccuracy - policy.maxAccuracyDrop;
  // Only what the labels prove counts: even the best case must be under the floor to fail.
  const verdict: Verdict = high < floor ? "fail" : "pass";
  return { name: "accuracy", verdict, detail: `${found}, the earlier version promised ${percent(earlierAccuracy)}` };
}

const percent = (share: number) => `${(Math.floor(share * 1_000) / 10).toFixed(1)} %`;

/** Seconds as a person says them: `45 s`, `12 min`, `23.5 h`. */
function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 360) / 10} h`;
}
