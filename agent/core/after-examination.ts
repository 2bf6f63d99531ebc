// What an examination of the service leads to: on to the soak, once more, back to the old model, or an end.
import { nextDelayMs } from "./backoff.ts";
import { namedAs } from "./built.ts";
import { RECHECK } from "./conclude.ts";
import { findRefusal } from "./refusal.ts";
import type { Conclusion, In, Journal, State, Swap } from "./state.ts";
import type { Judgement } from "./steps.ts";
import { concluding, enter, restoring } from "./transitions.ts";
import { blockedTrouble } from "./words.ts";

export function afterExamination(state: State, transaction: In<"examining">, judgement: Judgement): Journal {
  const { journal, now } = state;
  const { attempt, swap, tries } = transaction;
  const evidence = { ...swap.evidence, ...judgement.evidence };
  const proved: Swap = { ...swap, evidence };
  if (judgement.verdict === "pass") return enter(journal, { stage: "soaking", attempt, swap: proved }, now);
  const { policy } = attempt.candidate;
  if (judgement.verdict === "inconclusive") {
    if (tries < policy.tries) {
      return enter(journal, { ...transaction, swap: proved, tries: tries + 1, cooling: true }, now);
    }
    if (policy.on_inconclusive === "commit") return enter(journal, { stage: "soaking", attempt, swap: proved }, now);
  }
  const isUndecided = judgement.verdict === "inconclusive";
  const verdict: Conclusion = {
    outcome: "rolled-back",
    code: isUndecided ? "INCONCLUSIVE" : judgement.code,
    message: isUndecided ? `after ${tries} tries: ${judgement.message}` : judgement.message,
    nextStep: judgement.nextStep,
    evidence,
    refuse: true,
  };
  return restoring(journal, attempt, proved, verdict, now);
}

export function afterReview(state: State, { attempt, swap, verdict }: In<"reviewing">, judgement: Judgement): Journal {
  const restored = judgement.evidence.candidate;
  const evidence = { ...verdict.evidence, ...(restored ? { restored } : {}) };
  const trouble = judgement.verdict === "pass" ? null : blockedTrouble(swap.previous, judgement);
  return concluding(state, attempt, { ...verdict, evidence }, { trouble });
}

export function afterRecheck({ journal, disk, now }: State, transaction: In<"blocked">, judgement: Judgement): Journal {
  const isHealthy = judgement.verdict === "pass";
  const { current } = disk;
  // What this device has refused may only run because the way back failed: that it answers is no recovery.
  const isRefused = current.is === "file" && findRefusal(journal.refusals, namedAs(current)) !== undefined;
  if (isHealthy && !isRefused) return { ...journal, transaction: { stage: "resting" } };
  const checks = transaction.checks + 1;
  const notBefore = now + nextDelayMs(checks, RECHECK, 0.5);
  return { ...journal, transaction: { ...transaction, checks, notBefore, reload: !isHealthy } };
}
