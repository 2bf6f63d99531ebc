// Every change goes through here: one transaction that also writes the events telling of it, then word to whoever listens.
import { randomUUID } from "node:crypto";
import type { Event } from "@context-edge/protocol";
import { oneAtATime } from "./store/one-at-a-time.ts";
import type { Repositories, Store } from "./store/store.ts";
import { nothingTouched, type Touched } from "./touched.ts";
import { wordOf } from "./word.ts";

export type { Touched } from "./touched.ts";

export type Notice = { kind: "event"; event: Event } | { kind: "touched"; touched: Touched };
export type Listener = (notice: Notice) => void;

export interface Change {
  tx: Repositories;
  /** The time of the change, RFC 3339. */
  at: string;
  actor: string;
  touched: Touched;
  /** @returns the event's number */
  tell: (kind: string, subject: string, summary: string, data?: Record<string, unknown>) => Promise<number>;
}

export interface Changes {
  /** The name of this replica in what it tells the others. */
  replica: string;
  make<T>(actor: string, work: (change: Change) => Promise<T>): Promise<T>;
  /** For what is not history, such as a device going offline. */
  touch(touched: Partial<Touched>): void;
  /** Another replica changed this: told here like a change of our own. @returns the events that were news. */
  follow(touched: Touched, through: number): Promise<Event[]>;
  listen(listener: Listener): () => void;
}

const EVENTS_AT_ONCE = 500;
/** How attempts ended: they change what is shown, never what a device is ordered to do. */
export const OUTCOME_KINDS: ReadonlySet<string> = new Set([
  "device.committed",
  "device.rolled-back",
  "device.rejected",
  "device.failed",
]);

/** @param since the newest event that nobody here needs to be told of */
export function trackChanges(store: Store, now: () => number, since?: number): Changes {
  const replica = randomUUID();
  const listeners = new Set<Listener>();
  const inOrder = oneAtATime();
  let last = since;
  const publish = (notice: Notice) => {
    for (const listener of listeners) listener(notice);
  };

  /**
   * Events are told in the order of their ids, ours and those of other replicas: a reader that resumes after the newest id
   * it saw must have seen all before. Where some are missing in between, they are read from the history first.
   */
  const publishThrough = (through: number, own: readonly Event[]) =>
    inOrder(async () => {
      let after = last ?? (own[0]?.id ?? 1) - 1;
      const told: Event[] = [];
      const tell = (events: readonly Event[]) => {
        for (const event of events) publish({ kind: "event", event });
        told.push(...events);
        after = events.at(-1)?.id ?? after;
        last = after;
      };
      const first = after + 1;
      if (own.every(({ id }, index) => id === first + index)) tell(own);
      for (let isMore = after < through; isMore;) {
        const page = await store.events.after(after, EVENTS_AT_ONCE);
        tell(page);
        isMore = page.length > 0 && after < through;
      }
      return told;
    });

  return {
    replica,
    async make(actor, work) {
      const events: Event[] = [];
      const touched = nothingTouched();
      const result = await store.transaction(async (tx) => {
        const at = new Date(now()).toISOString();
        const tell: Change["tell"] = async (kind, subject, summary, data = {}) => {
          const event = await tx.events.append({ at, kind, actor, subject, summary, data });
          events.push(event);
          return event.id;
        };
        const made = await work({ tx, at, actor, touched, tell });
        const orders = events.some(({ kind }) => !OUTCOME_KINDS.has(kind));
        await tx.signals.send(wordOf(replica, touched, { through: events.at(-1)?.id ?? 0, orders }));
        return made;
      });
      publish({ kind: "touched", touched });
      const newest = events.at(-1);
      // The change stands: that the history could not be read in between only means that some are told twice.
      if (newest) {
        await publishThrough(newest.id, events).catch(() => {
          for (const event of events) publish({ kind: "event", event });
        });
      }
      return result;
    },
    touch(touched) {
      publish({ kind: "touched", touched: { ...nothingTouched(), ...touched } });
      // A gate's figures are written without an event. Presence every replica works out for itself.
      const { deployments } = touched;
      if (deployments && deployments.size > 0)
        store.signals.send(wordOf(replica, { deployments }, {})).catch(() => undefined);
    },
    follow(touched, through) {
      publish({ kind: "touched", touched });
      return publishThrough(through, []);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
