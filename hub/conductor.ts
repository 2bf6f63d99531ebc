// The conductor: load, decide in core, save. It is level-triggered, so a hub that was killed simply goes on.
import type { Logger } from "pino";
import type { Changes } from "./changes.ts";
import { conductDeployment, type Stays } from "./conduct.ts";
import type { Limit } from "./core/quarantine.ts";
import type { Fleet } from "./fleet.ts";
import type { Leader } from "./leader.ts";
import type { Publisher } from "./publisher.ts";
import { watchForQuarantine } from "./quarantine.ts";
import type { Store } from "./store/store.ts";

export interface Conductor {
  /** Looks again soon, whatever the interval. */
  wake(): void;
  stop(): Promise<void>;
}

export interface ConductorSettings {
  store: Store;
  changes: Changes;
  publisher: Publisher;
  fleet: () => Promise<Fleet>;
  /** Devices that must roll a digest back before nobody may install it any more. */
  quarantineAfter: Limit;
  /** Told after targets were changed here. */
  targetsChanged: () => Promise<void>;
  /** Of several replicas one conducts. */
  leader: Pick<Leader, "isLeader">;
  now: () => number;
  log: Pick<Logger, "error" | "info">;
}

const INTERVAL_MS = 1_000;
const FRESHNESS_EVERY = 60;

export function startConductor(settings: ConductorSettings): Conductor {
  const { store, publisher, leader, log } = settings;
  const stop = new AbortController();
  let ring: () => void = () => undefined;
  let rounds = 0;
  // Since when each device is in its phase. A hub that was restarted gives everyone the whole time again.
  const stays: Stays = new Map();

  const round = async () => {
    if (leader.isLeader()) await watchForQuarantine(settings);
    let decided = false;
    const open = leader.isLeader() ? await store.deployments.open() : [];
    for (const deployment of open) {
      if (leader.isLeader() && (await conductDeployment(settings, stays, deployment))) decided = true;
    }
    // One decision may be the ground of the next: look again without waiting.
    if (decided) queueMicrotask(() => ring());
    // Freshness: a manifest that nears its end is sealed again.
    if (rounds % FRESHNESS_EVERY === 0) await publisher.refresh();
    rounds += 1;
  };

  const loop = (async () => {
    while (!stop.signal.aborted) {
      await round().catch((error: unknown) => log.error({ err: error }, "the conductor failed and tries again"));
      await new Promise<void>((resolve) => {
        ring = resolve;
        setTimeout(resolve, INTERVAL_MS);
        if (stop.signal.aborted) resolve();
      });
    }
  })();

  return {
    wake: () => ring(),
    async stop() {
      stop.abort();
      ring();
      await loop;
    },
  };
}
