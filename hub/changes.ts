// Every change goes through here: one transaction that also writes the events telling of it, then word to whoever listens.
import type { Event } from "@context-edge/protocol";
import type { Repositories, Store } from "./store/store.ts";

/** What a change touched, so that pages can be told the new state of just those. */
export interface Touched {
  devices: Set<string>;
  groups: Set<string>;
  deployments: Set<string>;
  /** `model/version`. */
  versions: Set<string>;
}

export type Notice = { kind: "event"; event: Event } | { kind: "touched"; touched: Touched };
export type Listener = (notice: Notice) => void;

export interface Change {
  tx: Repositories;
  /** The time of the change, RFC 3339. */
  at: string;
  actor: string;
  touched: Touched;
  tell: (kind: string, subject: string, summary: string, data?: Record<string, unknown>) => Promise<void>;
}

export interface Changes {
  make<T>(actor: string, work: (change: Change) => Promise<T>): Promise<T>;
  /** For what is not history, such as a device going offline. */
  touch(touched: Partial<Touched>): void;
  listen(listener: Listener): () => void;
}

const nothingTouched = (): Touched => ({
  devices: new Set(),
  groups: new Set(),
  deployments: new Set(),
  versions: new Set(),
});

export function trackChanges(store: Store, now: () => number): Changes {
  const listeners = new Set<Listener>();
  const publish = (notice: Notice) => {
    for (const listener of listeners) listener(notice);
  };
  return {
    async make(actor, work) {
      const events: Event[] = [];
      const touched = nothingTouched();
      const result = await store.transaction(async (tx) => {
        const at = new Date(now()).toISOString();
        const tell: Change["tell"] = async (kind, subject, summary, data = {}) => {
          events.push(await tx.events.append({ at, kind, actor, subject, summary, data }));
        };
        return work({ tx, at, actor, touched, tell });
      });
      publish({ kind: "touched", touched });
      for (const event of events) publish({ kind: "event", event });
      return result;
    },
    touch: (touched) => publish({ kind: "touched", touched: { ...nothingTouched(), ...touched } }),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
