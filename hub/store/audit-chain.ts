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

export interface Head {
  id: number;
  hash: string;
}

export type ChainVerdict =
  /** @param known the event whose hash was asked for */
  | { ok: true; events: number; head: string; known: number | null }
  /** @param at id of the first event that is wrong; null when it is the whole that is */
  | { ok: false; at: number | null; why: string };

interface Expected {
  /** What the store remembers as the newest: without it, events cut off at the end would not be missed. */
  head: Head | null;
  /** A head that somebody wrote down: it must be the hash of some event, or what came up to it is not what it was. */
  known?: string | undefined;
  /** Where numbers have no gaps, the first event must have this one. */
  firstId?: number | null;
}

/** Follows the chain event by event; feed it everything in order, from the very first, then ask for the verdict. */
export function chainChecker({ head, known, firstId = null }: Expected) {
  let previous = GENESIS;
  let lastId: number | null = null;
  let events = 0;
  let knownAt: number | null = null;
  let broken: Extract<ChainVerdict, { ok: false }> | null = null;

  const wrongWith = (event: ChainedEvent): string | null => {
    if (head !== null && event.id > head.id)
      return `it stands after event ${head.id}, the newest that the hub remembers: the hub did not write it`;
    if (lastId === null && firstId !== null && event.id !== firstId && event.previous_hash === GENESIS)
      return "it says that it is the first, but others had been before it";
    if (event.previous_hash !== previous)
      return `an event before it was removed, inserted or changed (${lastId === null ? "none is before it" : `after ${lastId}`})`;
    return event.hash === chainHash(previous, event) ? null : "its own content was changed";
  };

  return {
    next(event: ChainedEvent): void {
      if (broken) return;
      const why = wrongWith(event);
      if (why !== null) broken = { ok: false, at: event.id, why };
      else if (event.hash === known) knownAt = event.id;
      previous = event.hash;
      lastId = event.id;
      events += 1;
    },
    verdict(): ChainVerdict {
      if (broken) return broken;
      const wrong = (at: number | null, why: string): ChainVerdict => ({ ok: false, at, why });
      if (head === null && lastId !== null) return wrong(null, "what the hub remembers as its newest event is gone");
      if (head !== null && (lastId === null || lastId < head.id))
        return wrong((lastId ?? 0) + 1, `the newest events are missing, up to event ${head.id}`);
      if (head !== null && head.hash !== previous)
        return wrong(head.id, "it is not the event that the hub remembers under this number");
      if (known !== undefined && knownAt === null)
        return wrong(null, `no event has the hash ${known}: the history was cut before it, or replaced`);
      return { ok: true, events, head: previous, known: knownAt };
    },
  };
}
