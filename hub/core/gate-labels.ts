// What labelled predictions prove: a verdict only where Wilson's interval lies wholly on one side.
import type { GateCondition, GatePolicy, Verdict } from "@context-edge/protocol";
import { wilsonInterval, type LabelCounts } from "./accuracy.ts";
import { grouped, percent } from "./say.ts";

interface AccuracyFacts {
  labels: LabelCounts;
  earlierLabels: LabelCounts | null;
  earlierAccuracy: number | null;
  ownAccuracy: number | null;
}

export function judgeAccuracy(policy: GatePolicy, facts: AccuracyFacts): GateCondition {
  const { labels } = facts;
  const { low, high } = wilsonInterval(labels.correct, labels.total);
  const earlier = earlierAccuracyOf(policy, facts);
  const evidence = { correct: labels.correct, labels: labels.total, low, high, earlier: earlier?.value ?? null };
  const condition = (verdict: Verdict, detail: string): GateCondition => ({
    name: "accuracy",
    verdict,
    detail,
    evidence,
  });
  if (labels.total < policy.min_labels) {
    const detail = `${grouped(labels.total)} labelled predictions, too few to judge accuracy (${policy.min_labels} needed)`;
    return condition("inconclusive", detail);
  }
  const found = `labelled accuracy ${percent(labels.correct / labels.total)} (${percent(low)} to ${percent(high)}, ${grouped(labels.total)} labels)`;
  if (!earlier) return condition("inconclusive", `${found}, nothing to compare with`);
  const against = `${found}, ${earlier.words} ${percent(earlier.value)}`;
  const floor = earlier.value - policy.max_accuracy_drop;
  if (high < floor) return condition("fail", against);
  if (low >= floor) return condition("pass", against);
  return condition("inconclusive", `${against}; more labels are needed to tell`);
}

/** What was measured with enough labels outranks what training promised; where nothing ran before, its own promise counts. */
function earlierAccuracyOf(
  policy: GatePolicy,
  { earlierLabels, earlierAccuracy, ownAccuracy }: AccuracyFacts,
): { value: number; words: string } | null {
  if (earlierLabels && earlierLabels.total >= policy.min_labels)
    return { value: earlierLabels.correct / earlierLabels.total, words: "the earlier version had" };
  if (earlierAccuracy !== null) return { value: earlierAccuracy, words: "the earlier version promised" };
  return ownAccuracy === null ? null : { value: ownAccuracy, words: "its training promised" };
}

/** @returns null when the policy sets no limit. */
export function judgeRate(
  name: "false-positives" | "false-negatives",
  limit: number | null,
  policy: Pick<GatePolicy, "min_labels">,
  wrong: number,
  all: number,
): GateCondition | null {
  if (limit === null) return null;
  const { low, high } = wilsonInterval(wrong, all);
  const words = name === "false-positives" ? "false positives" : "false negatives";
  const evidence = { wrong, labels: all, low, high, limit };
  if (all < policy.min_labels) {
    const detail = `${grouped(all)} labels to judge ${words} by, too few (${policy.min_labels} needed)`;
    return { name, verdict: "inconclusive", detail, evidence };
  }
  const found = `${percent(wrong / all)} ${words} (${percent(low)} to ${percent(high)}, ${grouped(all)} labels), allowed is ${percent(limit)}`;
  if (low > limit) return { name, verdict: "fail", detail: found, evidence };
  if (high <= limit) return { name, verdict: "pass", detail: found, evidence };
  return { name, verdict: "inconclusive", detail: `${found}; more labels are needed to tell`, evidence };
}
