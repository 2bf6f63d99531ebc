// What the person at the device may do, from the page or the command line: ask the hub now, hold, go back to the backup.
import { type Hold, type ModelName, type Trouble } from "@context-edge/protocol";
import { timestamp } from "./core/instant.ts";
import type { LocalOrders } from "./effects/local-orders.ts";
import type { Worker } from "./worker.ts";

export interface Actions {
  check(): void;
  /** Until now + hours; a longer or shorter hold of the device replaces the one before. */
  hold(hours: number, reason: string): Promise<Hold>;
  release(): Promise<void>;
  /** @returns why not; null when it is carried out as soon as nothing is under way. */
  rollback(model: ModelName): Promise<Trouble | null>;
}

export interface Acting {
  orders: LocalOrders;
  now: () => number;
  worker: (model: ModelName) => Worker | undefined;
  /** Wakes the loop. */
  wake: () => void;
  /** Ends the present poll so that the next one begins. */
  nudge: () => void;
}

const HOUR_MS = 3_600_000;

export function actionsOn({ orders, now, worker, wake, nudge }: Acting): Actions {
  return {
    check() {
      nudge();
      wake();
    },
    async hold(hours, reason) {
      const hold = { until: timestamp(now() + hours * HOUR_MS), reason: reason.slice(0, 500) };
      await orders.setHold(hold);
      wake();
      return hold;
    },
    async release() {
      await orders.setHold(null);
      wake();
    },
    async rollback(model) {
      const disk = worker(model)?.latest().disk;
      if (!disk) {
        return {
          code: "MODEL_UNKNOWN",
          message: `this device has no model ${model}`,
          next_step: "Look at the status for the models of this device.",
        };
      }
      if (disk.current.is !== "file" || disk.backup.is !== "file") {
        return {
          code: "NO_BACKUP",
          message: "there is no backup to go back to",
          next_step: "Ask for another version to be deployed.",
        };
      }
      await orders.orderRollback(model);
      wake();
      return null;
    },
  };
}
