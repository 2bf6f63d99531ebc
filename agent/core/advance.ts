// What a finding changes: journal and finding in, next journal out. The loop saves the result before it does anything else.
import { builtEngine, isStale, namedAs } from "./built.ts";
import { remember } from "./conclude.ts";
import { afterExamination, afterRecheck, afterReview } from "./after-examination.ts";
import { judgeCandidate, judgeService } from "./health.ts";
import { afterMishap } from "./mishaps.ts";
import {
  type AttemptRecord,
  type Conclusion,
  type In,
  type Journal,
  refOf,
  type Stage,
  type State,
  type Swap,
} from "./state.ts";
import type { BuiltFile, Finding, Result, StepName, StepOf } from "./steps.ts";
import { obeyed } from "./orders.ts";
import { concluding, enter, newAttempt, REPAIR, restoring } from "./transitions.ts";
import { committedWords } from "./words.ts";

type Ok<K extends StepName> = Extract<Result<K>, { ok: true }>;
type Advance<K extends StepName> = (state: State, step: StepOf<K>, gained: Ok<K>) => Journal;

/** @returns the same journal when the finding changes nothing that must be remembered. */
export function advance(state: State, finding: Finding): Journal {
  if (!finding.result.ok) return afterMishap(state, finding.step, finding.result.mishap);
  const advanceHere = CONSEQUENCES[finding.step.do] as Advance<StepName>;
  return advanceHere(state, finding.step, finding.result);
}

const CONSEQUENCES: { [K in StepName]: Advance<K> } = {
  begin: ({ journal, now }, { candidate }) => {
    const attempt = newAttempt(candidate, now);
    return enter(journal, { stage: "fetching", attempt, failures: 0, notBefore: 0, clean: false, trouble: null }, now);
  },

  fetch: (state, { clean }) =>
    within(state, "fetching", ({ attempt }) => enter(state.journal, { stage: "checking", attempt, clean }, state.now)),

  verify: (state, { candidate }, { file }) =>
    within(state, "checking", ({ attempt }) => {
      const { version, digest, sizeBytes } = candidate;
      const published = { ...state.journal.published, [file]: { version, digest, sizeBytes } };
      const journal = { ...state.journal, published };
      if (!candidate.build) return enter(journal, ready(attempt, file), state.now);
      const spent = { failed: 0, interrupted: 0 };
      const fresh = { notBefore: 0, vetoes: 0, failures: 0, spent, trouble: null };
      return enter(journal, { stage: "queued", attempt, source: file, ...fresh }, state.now);
    }),

  "ask-build": (state, _step, gained) =>
    within(state, "queued", (transaction) => {
      const { attempt, source, failures, spent } = transaction;
      if (gained.answer === "built") return withEngine(state, attempt, gained);
      if (gained.answer === "go") {
        return enter(state.journal, { stage: "building", attempt, source, failures, spent }, state.now);
      }
      const vetoes = transaction.vetoes + 1;
      const notBefore = state.now + gained.retryMs;
      return { ...state.journal, transaction: { ...transaction, vetoes, notBefore, trouble: null } };
    }),

  build: (state, _step, gained) => within(state, "building", ({ attempt }) => withEngine(state, attempt, gained)),

  "ask-leave": (state, _step, gained) =>
    within(state, "waiting", (transaction) => {
      const { attempt, file } = transaction;
      if (gained.answer === "later") {
        const vetoes = transaction.vetoes + 1;
        const notBefore = state.now + gained.retryMs;
        return { ...state.journal, transaction: { ...transaction, vetoes, notBefore, trouble: null } };
      }
      // Restarts while it waited for days say nothing about the version.
      return enter(state.journal, { stage: "measuring", attempt: { ...attempt, resumptions: 0 }, file }, state.now);
    }),

  "measure-baseline": (state, { running, candidate, file: installed }, { measurement, note }) =>
    within(state, "measuring", ({ attempt, file }) => {
      const { backup } = state.disk;
      const engine = builtEngine(installed);
      const swap: Swap = {
        file,
        previous: running,
        formerBackup: backup.is === "file" ? backup.file : null,
        ...(running && isStale(running, candidate) ? { keepsBackup: true } : {}),
        baseline: measurement,
        evidence: {
          ...(measurement ? { baseline: measurement } : {}),
          ...(note ? { detail: note } : {}),
          ...(engine ? { engine } : {}),
        },
      };
      return enter(state.journal, { stage: "activating", attempt, swap }, state.now);
    }),

  // The links themselves say what was done; the next decision reads them.
  "link-backup": ({ journal }) => journal,
  "link-current": ({ journal }) => journal,

  reload: (state, { file }) => {
    const { journal, disk, now } = state;
    const { transaction } = journal;
    switch (transaction.stage) {
      case "activating":
        return enter(journal, { ...transaction, stage: "examining", tries: 1, cooling: false }, now);
      case "measuring": {
        const { backup } = disk;
        const previous = backup.is === "file" && backup.digest !== file?.digest ? refOf(backup) : null;
        const evidence = { detail: "the journal of this swap was lost; the running file was proved again" };
        const swap: Swap = { file: transaction.file, previous, formerBackup: null, baseline: null, evidence };
        return enter(
          journal,
          { stage: "examining", attempt: transaction.attempt, swap, tries: 1, cooling: false },
          now,
        );
      }
      case "restoring":
        if (transaction.swap.previous) return enter(journal, { ...transaction, stage: "reviewing" }, now);
        return concluding(state, transaction.attempt, transaction.verdict);
      case "blocked":
        return { ...journal, transaction: { ...transaction, reload: false } };
      default:
        return journal;
    }
  },

  examine: (state, { subject }, { examination }) => {
    const { transaction } = state.journal;
    switch (transaction.stage) {
      case "examining":
        return afterExamination(
          state,
          transaction,
          judgeCandidate(examination, subject.policy, transaction.swap.baseline, subject.digest),
        );
      case "reviewing":
        return afterReview(state, transaction, judgeService(examination, subject.policy, subject.digest));
      case "blocked":
        return afterRecheck(state, transaction, judgeService(examination, subject.policy, subject.digest));
      default:
        return state.journal;
    }
  },

  "cool-down": ({ journal }) => {
    const { transaction } = journal;
    return "cooling" in transaction ? { ...journal, transaction: { ...transaction, cooling: false } } : journal;
  },

  soak: (state, { forMs }, { ownRequests }) =>
    within(state, "soaking", ({ attempt, swap }) => {
      const message = committedWords(attempt.candidate.version, swap, forMs);
      return concluding(state, attempt, committed(message, swap), { ownRequests });
    }),

  withdraw: ({ journal }) => ({ ...journal, transaction: { stage: "resting" } }),

  decline: (state, { candidate, conclusion }) => concluding(state, newAttempt(candidate, state.now), conclusion),

  repair: ({ journal, model, now }, { broken, backup, why }) => {
    const verdict: Conclusion = {
      outcome: "rolled-back",
      code: why === "missing" ? "CURRENT_MISSING" : "CURRENT_DAMAGED",
      message: `the running file was found ${why}, so the backup ${backup.version} was put back`,
      nextStep: "Check the storage of this device. The wanted version is fetched again by itself.",
      evidence: {},
      refuse: false,
    };
    const candidate = { ...REPAIR, model, ...namedAs(broken) };
    const swap: Swap = { file: broken.file, previous: backup, formerBackup: null, baseline: null, evidence: {} };
    return restoring(journal, newAttempt(candidate, now), swap, verdict, now);
  },

  "turn-back": (state, { conclusion }) => turnBack(state, conclusion),

  obey: (state, { order }) => obeyed(state, order),

  record: (state, { report }) => within(state, "concluding", (transaction) => remember(state, transaction, report)),

  tidy: ({ journal }, { remove }) => {
    const published = Object.fromEntries(Object.entries(journal.published).filter(([file]) => !remove.includes(file)));
    return { ...journal, published };
  },
};

function ready(attempt: AttemptRecord, file: string): In<"waiting"> {
  return { stage: "waiting", attempt, file, notBefore: 0, vetoes: 0, failures: 0, trouble: null };
}

function withEngine({ journal, now }: State, attempt: AttemptRecord, engine: BuiltFile): Journal {
  const { file, digest, sizeBytes, built } = engine;
  const { version } = attempt.candidate;
  const published = { ...journal.published, [file]: { version, digest, sizeBytes, built } };
  return enter({ ...journal, published }, ready(attempt, file), now);
}

/** Only after the links were touched; before, there is nothing to undo. */
function turnBack(state: State, conclusion: Conclusion): Journal {
  const { transaction } = state.journal;
  if (!("swap" in transaction)) return state.journal;
  const { attempt, swap } = transaction;
  const verdict = { ...conclusion, evidence: { ...swap.evidence, ...conclusion.evidence } };
  return restoring(state.journal, attempt, swap, verdict, state.now);
}

function committed(message: string, swap: Swap): Conclusion {
  return { outcome: "committed", code: "OK", message, nextStep: "", evidence: swap.evidence, refuse: false };
}

function within<S extends Stage>(state: State, stage: S, next: (transaction: In<S>) => Journal): Journal {
  const { transaction } = state.journal;
  return transaction.stage === stage ? next(transaction as In<S>) : state.journal;
}
