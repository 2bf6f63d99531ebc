// Which deployment each group follows, at hand without waiting: what a caller saw is what stood here when the request arrived.
import { setTimeout as pause } from "node:timers/promises";
import { seenKey, type Seen } from "./rollout.ts";
import type { Store } from "./store/store.ts";

const SAME_MOMENT_MS = 15;

export interface TargetMemory {
  /**
   * What stood here when the request arrived, told a moment later: requests of the same moment have then all looked, and
   * only one of them finds at its transaction what it saw.
   */
  seen(): Promise<Seen>;
  /** After every change of a target. */
  refresh(): Promise<void>;
}

export async function rememberTargets(store: Store): Promise<TargetMemory> {
  let targets: Seen = new Map();
  const refresh = async () => {
    const rows = await store.targets.list();
    targets = new Map(rows.map((target) => [seenKey(target.model, target.group_name), target.deployment_id]));
  };
  await refresh();
  return {
    async seen() {
      const now = targets;
      await pause(SAME_MOMENT_MS);
      return now;
    },
    refresh,
  };
}
