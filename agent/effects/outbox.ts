// What the hub must hear at least once: outcomes stay here, numbered, until it says they are on its disk.
import { randomUUID } from "node:crypto";
import { OutcomeReport } from "@context-edge/protocol";
import { z } from "zod";
import { checkedFile } from "./checked-file.ts";

const Entry = z.object({ number: z.number().int(), key: z.string(), report: OutcomeReport });
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
const PENDING_KEPT = 1_000;
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
        const entry = { number: before.nextNumber, key, report };
        return {
          ...before,
          nextNumber: before.nextNumber + 1,
          pending: compacted([...before.pending, entry]),
          keys: [...before.keys, key].slice(-KEYS_KEPT),
        };
      }),
    pending: () => stored.pending.slice(0, BATCH).map(({ number, report }) => ({ number, report })),
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

/** Months without a hub: failed attempts, which repeat themselves, go before outcomes that changed the device. */
function compacted(pending: Stored["pending"]): Stored["pending"] {
  if (pending.length <= PENDING_KEPT) return pending;
  const oldestFailed = pending.findIndex((entry) => entry.report.outcome === "failed");
  return pending.toSpliced(Math.max(0, oldestFailed), 1);
}
