// What the person at the device asked for, kept through restarts and power cuts: a hold, and the backup back in place.
import { randomUUID } from "node:crypto";
import { Hold, ModelName } from "@context-edge/protocol";
import { z } from "zod";
import type { Order } from "../core/state.ts";
import { checkedFile } from "./checked-file.ts";

const Stored = z.object({
  hold: Hold.nullable(),
  rollbacks: z.record(ModelName, z.object({ id: z.string() })),
});
type Stored = z.infer<typeof Stored>;

export interface LocalOrders {
  hold(): Hold | null;
  setHold(hold: Hold | null): Promise<void>;
  /** The last order for this model, carried out or not. */
  rollback(model: ModelName): Order | null;
  orderRollback(model: ModelName): Promise<void>;
}

export async function openLocalOrders(path: string): Promise<LocalOrders> {
  const file = checkedFile(path, Stored);
  const loaded = await file.load();
  let stored: Stored = loaded.is === "whole" ? loaded.value : { hold: null, rollbacks: {} };
  const keep = async (next: Stored) => {
    await file.save(next);
    stored = next;
  };
  return {
    hold: () => stored.hold,
    setHold: (hold) => keep({ ...stored, hold }),
    rollback: (model) => stored.rollbacks[model] ?? null,
    orderRollback: (model) => keep({ ...stored, rollbacks: { ...stored.rollbacks, [model]: { id: randomUUID() } } }),
  };
}
