// The audit's chain: each event carries the hash of the one before, so that a changed, removed or inserted row shows.
import { createHash } from "node:crypto";
import type { Event } from "@context-edge/protocol";

export interface Link {
  id: number;
  /** As stored: JSON text, so that hashing does not depend on how it is parsed. */
  data: string;
  previous_hash: string;
  hash: string;
}
export type ChainedEvent = Omit<Event, "id" | "data"> & Link;

/** Before the first event there is nothing. */
export const GENESIS = "0".repeat(64);

/** sha256 over the previous hash and every field, as one JSON list: no field can run over into the next. */
export function chainHash(previous: string, event: Omit<ChainedEvent, "id" | "previous_hash" | "hash">): string {
  const { at, kind, actor, subject, summary, data } = event;
  return createHash("sha256")
    .update(JSON.stringify([previous, at, kind, actor, subject, summary, data]))
    .digest("hex");
}

export type ChainVerdict =
  | { ok: true; events: number; head: string }
  /** @param at id of the first event that does not fit what comes before */
  | { ok: false; at: number; why: string };

/** Follows the chain event by event; feed it everything in order, then ask for the verdict. */
export function chainChecker() {
  let previous = GENESIS;
  let lastId = 0;
  let events = 0;
  let broken: Extract<ChainVerdict, { ok: false }> | null = null;
  return {
    next(event: ChainedEvent): void {
      if (broken) return;
      const fail = (why: string) => {
        broken = { ok: false, at: event.id, why };
      };
      if (event.previous_hash !== previous)
        fail(`an event before it was removed, inserted or changed (after ${lastId})`);
      else if (event.hash !== chainHash(previous, event)) fail("its own content was changed");
      previous = event.hash;
      lastId = event.id;
      events += 1;
    },
    /** @param head what the store remembers as the newest: without it, events cut off at the end would not be missed */
    verdict(head: { id: number; hash: string } | null): ChainVerdict {
      if (broken) return broken;
      const isWhole = head === null ? events === 0 : head.hash === previous && head.id === lastId;
      if (isWhole) return { ok: true, events, head: previous };
      return { ok: false, at: lastId + 1, why: "the newest events are missing" };
    },
  };
}
