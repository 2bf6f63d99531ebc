// Who is woken when a document or an order arrives: every model's loop, and the step that is no longer asked for.
import type { ModelName } from "@context-edge/protocol";
import { keyOf } from "./core/built.ts";
import type { State } from "./core/state.ts";
import { type Bell, bell } from "./effects/bell.ts";
import type { Worker } from "./worker.ts";

export interface Bells {
  /** The bell of one model's loop. */
  of(model: ModelName): Bell;
  /** For whoever opens loops for models that are new in the manifest. */
  any: Bell;
  /** Rings all of them; a step before the swap that nobody asks for any more is broken off. */
  ring: () => void;
  /** Aborts when the worker's present candidate is no longer asked for. */
  following(state: State, worker: Worker): AbortSignal;
}

interface Watched {
  controller: AbortController;
  isStillAsked: () => boolean;
}

export function bells(): Bells {
  const any = bell();
  const ofModels = new Map<ModelName, Bell>();
  const watched = new Map<ModelName, Watched>();
  let hasRung = false;
  const of = (model: ModelName) => {
    const known = ofModels.get(model);
    if (known) return known;
    const own = bell();
    // What rang before the loop was there has not been looked at by it.
    if (hasRung) own.ring();
    ofModels.set(model, own);
    return own;
  };
  return {
    of,
    any,
    ring() {
      hasRung = true;
      any.ring();
      for (const own of ofModels.values()) own.ring();
      for (const { controller, isStillAsked } of watched.values()) {
        if (!isStillAsked()) controller.abort();
      }
    },
    following(state, worker) {
      const controller = new AbortController();
      const { transaction } = state.journal;
      const asked = "attempt" in transaction ? keyOf(transaction.attempt.candidate) : wishedKey(state.wish);
      watched.set(worker.model, {
        controller,
        isStillAsked() {
          const { wish, order, journal } = worker.latest();
          return wishedKey(wish) === asked && (order === null || order.id === journal.handledOrder);
        },
      });
      return controller.signal;
    },
  };
}

function wishedKey(wish: State["wish"]): string | null {
  return wish.is === "candidate" ? keyOf(wish.candidate) : null;
}
