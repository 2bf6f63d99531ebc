// Which deployment each group follows, at hand without waiting: what a caller saw is what stood here when the request arrived.
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as pause } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { seenKey, type Seen } from "./rollout.ts";
import type { Store } from "./store/store.ts";

const SAME_MOMENT_MS = 15;

declare module "fastify" {
  interface FastifyRequest {
    /** What stood when the request arrived: it may have to wait for its turn. */
    seen: Seen | null;
  }
}

export interface TargetMemory {
  /** What stands now. */
  now(): Seen;
  /** Whatever is done within `work` has seen this. */
  having(seen: Seen, work: () => void): void;
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
  const arrived = new AsyncLocalStorage<Seen>();
  return {
    now: () => targets,
    having: (seen, work) => arrived.run(seen, work),
    async seen() {
      const now = arrived.getStore() ?? targets;
      await pause(SAME_MOMENT_MS);
      return now;
    },
    refresh,
  };
}

/** Before whatever may keep a request waiting. */
export function noteArrivals(app: FastifyInstance, targets: Pick<TargetMemory, "now" | "having">): void {
  app.decorateRequest("seen", null);
  app.addHook("onRequest", async (request) => {
    request.seen = targets.now();
  });
  // Not earlier: what reads a body goes on where the socket woke it, and has forgotten who asked.
  app.addHook("preHandler", (request, _reply, done) => targets.having(request.seen ?? targets.now(), done));
}
