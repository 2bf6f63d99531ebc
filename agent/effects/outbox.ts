// What the hub must hear at least once: outcomes stay here, numbered, until it says they are on its disk.
import { randomUUID } from "node:crypto";
import { OutcomeReport } from "@context-edge/protocol";
import { z } from "zod";
import { checkedFile } from "./checked-file.ts";

const Entry = z.object({
  number: z.number().int(),
  key: z.string(),
  report: OutcomeReport,
  /** Attempts that this entry stands for, and when the first of them ended. */
  tries: z.number().int().default(1),
  since: z.string().optional(),
});
type Entry = z.infer<typeof Entry>;
const Stored = z.object({
  outbox: z.uuid(),
  nextNumber: z.number().int(),
  /** Observed numbers below this may have been used: they are reserved in blocks, not saved one by one. */
  observedCeiling: z.number().int(),
  pending: z.array(Entry),
  /** Keys of outcomes put in lately, acknowledged ones too: putting one in again changes nothing. */
  keys: z.array(z.string()),
});
type Stored = z.infer<typeof Stored>;

const OBSERVED_BLOCK = 1_000;
const KEYS_KEPT = 256;
/** One report carries at most this many; the hub's schema allows 500. */
const BATCH = 100;

export interface Outbox {
  readonly id: string;
  /** @param key names the attempt; the second time it is ignored. */
  put(key: string, report: OutcomeReport): Promise<void>;
  /** The oldest outcomes that were not acknowledged yet. */
  pending(): { number: number; report: OutcomeReport }[];
  acknowledged(through: number): Promise<void>;
  nextObservedNumber(): Promise<number>;
}

export async function openOutbox(path: string): Promise<Outbox> {
  const file = checkedFile(path, Stored);
  const loaded = await file.load();
  let stored = renewed(loaded.is === "whole" ? loaded.value : null, loaded.is === "whole" && loaded.copy === "newest");
  let observed = stored.observedCeiling;
  let writing: Promise<unknown> = Promise.resolve();
  // Loop and sender both write: one after the other, each from the newest state.
  const change = (next: (before: Stored) => Stored): Promise<void> => {
    const write = writing.then(async () => {
      const after = next(stored);
      if (after === stored) return;
      await file.save(after);
      stored = after;
    });
    writing = write.catch(() => undefined);
    return write;
  };

  return {
    get id() {
      return stored.outbox;
    },
    put: (key, report) =>
      change((before) => {
        if (before.keys.includes(key)) return before;
        const entry: Entry = { number: before.nextNumber, key, report, tries: 1 };
        return {
          ...before,
          nextNumber: before.nextNumber + 1,
          pending: compacted(before.pending, entry),
          keys: [...before.keys, key].slice(-KEYS_KEPT),
        };
      }),
    pending: () => stored.pending.slice(0, BATCH).map((entry) => ({ number: entry.number, report: told(entry) })),
    acknowledged: (through) =>
      change((before) => {
        const pending = before.pending.filter((entry) => entry.number > through);
        return pending.length === before.pending.length ? before : { ...before, pending };
      }),
    async nextObservedNumber() {
      observed += 1;
      if (observed > stored.observedCeiling) {
        const ceiling = observed + OBSERVED_BLOCK;
        await change((before) => ({ ...before, observedCeiling: ceiling }));
      }
      return observed;
    },
  };
}

/** A lost or older copy may have used numbers we no longer know of: only a new outbox cannot collide with them. */
function renewed(before: Stored | null, isNewest: boolean): Stored {
  if (before && isNewest) return before;
  const pending = (before?.pending ?? []).map((entry, index) => ({ ...entry, number: index + 1 }));
  return {
    outbox: randomUUID(),
    nextNumber: pending.length + 1,
    observedCeiling: 0,
    pending,
    keys: before?.keys ?? [],
  };
}

/**
 * Months without a hub: an attempt that fails again and again for the same reason is told once, as its newest try, with
 * how often it was tried. Every other outcome changed something or decided something, and stays.
 */
function compacted(pending: Stored["pending"], entry: Entry): Stored["pending"] {
  const same = pending.find((one) => isSameFailure(one.report, entry.report));
  if (!same) return [...pending, entry];
  const tries = same.tries + 1;
  return [...pending.filter((one) => one !== same), { ...entry, tries, since: same.since ?? same.report.at }];
}

function isSameFailure(a: OutcomeReport, b: OutcomeReport): boolean {
  const isRepeated = a.outcome === "failed" && b.outcome === "failed" && a.code === b.code;
  return isRepeated && a.model === b.model && a.digest === b.digest && a.deployment_id === b.deployment_id;
}

/** How often it was tried is for the reader, so it is said in the message. */
function told({ report, tries, since }: Entry): OutcomeReport {
  if (tries === 1) return report;
  const message = `${report.message} (tried ${tries} times since ${since ?? report.at})`;
  return { ...report, message: message.slice(0, 2_000) };
}
