// The conductor: load, decide in core, save. It is level-triggered, so a hub that was killed simply goes on.
import type { Logger } from "pino";
import type { Changes } from "./changes.ts";
import { conductDeployment } from "./conduct.ts";
import type { Limit } from "./core/quarantine.ts";
import type { Fleet } from "./fleet.ts";
import type { Leader } from "./leader.ts";
import type { Publisher } from "./publisher.ts";
import { watchForQuarantine } from "./quarantine.ts";
import { countStays } from "./stays.ts";
import type { Store } from "./store/store.ts";

export interface Conductor {
  /** Looks again soon, whatever the interval; also when it is looking now. */
  wake(): void;
  /** Milliseconds since it last came to the end of a round. */
  sinceRoundMs(): number;
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
const FRESHNESS_ROUNDS = 60;

export function startConductor(settings: ConductorSettings): Conductor {
  const { store, publisher, leader, log } = settings;
  const bell = hangBell();
  const stays = countStays(settings);
  const stop = new AbortController();
  let roundEndedAt = performance.now();

  /** One thing that fails must not keep the others from being done. */
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      log.error({ err: error }, `${what} failed and is tried again`);
      return undefined;
    }
  };

  const conduct = async () => {
    await attempt("the watch for quarantine", () => watchForQuarantine(settings));
    const open = (await attempt("reading deployments", () => store.deployments.open())) ?? [];
    for (const deployment of open) {
      if (!leader.isLeader() || stop.signal.aborted) return;
      const decided = await attempt(`conducting ${deployment.id}`, () =>
        conductDeployment(settings, stays, deployment),
      );
      // One decision may be the ground of the next: look again without waiting.
      if (decided) bell.ring();
    }
  };

  const loop = (async () => {
    for (let round = 0; !stop.signal.aborted; round += 1) {
      if (leader.isLeader()) await conduct();
      else stays.forget();
      // Freshness: a manifest that nears its end is sealed again, whatever else may be wrong.
      if (round % FRESHNESS_ROUNDS === 0) await attempt("renewing manifests", () => publisher.refresh());
      roundEndedAt = performance.now();
      await bell.wait(INTERVAL_MS);
    }
  })();

  return {
    wake: () => bell.ring(),
    sinceRoundMs: () => performance.now() - roundEndedAt,
    async stop() {
      stop.abort();
      bell.ring();
      await loop;
    },
  };
}

/** Rung while nobody waits, it is heard at the next wait. */
function hangBell(): { ring(): void; wait(longestMs: number): Promise<void> } {
  let isRung = false;
  let wakeUp: (() => void) | undefined;
  return {
    ring() {
      isRung = true;
      wakeUp?.();
    },
    async wait(longestMs) {
      if (!isRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, longestMs);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      wakeUp = undefined;
      isRung = false;
    },
  };
}
