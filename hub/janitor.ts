// The janitor: rolls up and deletes what is old, in small slices with pauses between them, so that nobody waits for it.
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";

/** One thing that must not grow for ever. */
export interface Keeper {
  name: string;
  everyMs: number;
  /** Does a few milliseconds' worth. @returns whether there is more to do now. */
  slice(nowMs: number): Promise<boolean>;
}

export interface Janitor {
  /** For tables of other parts, such as webhook deliveries. */
  add(keeper: Keeper): void;
  /** One round, as the clock would start it; resolves when nothing is left to do now. */
  round(): Promise<void>;
  stop(): Promise<void>;
}

interface Settings {
  keepers: readonly Keeper[];
  /** Done on every hub in every round: what each of them has in its own memory. */
  everywhere: readonly (() => Promise<void>)[];
  /** Of several hubs on one database, one cleans up. */
  isLeader?: () => boolean;
  now: () => number;
  log: Pick<Logger, "error">;
}

const ROUND_MS = 60_000;
const PAUSE_MS = 5;

export function startJanitor({ keepers, everywhere, isLeader = () => true, now, log }: Settings): Janitor {
  const all = [...keepers];
  const doneMs = new Map<Keeper, number>();
  const ended = new AbortController();
  const complain = (what: string) => (error: unknown) => log.error({ err: error }, `${what} failed and is tried again`);

  const keep = async (keeper: Keeper) => {
    const dueMs = (doneMs.get(keeper) ?? -Infinity) + keeper.everyMs;
    if (now() < dueMs) return;
    while (!ended.signal.aborted && isLeader() && (await keeper.slice(now()))) await pause(PAUSE_MS);
    doneMs.set(keeper, now());
  };
  let running = Promise.resolve();
  const round = async () => {
    for (const work of everywhere) await work().catch(complain("writing what is in memory"));
    for (const keeper of all) {
      if (!ended.signal.aborted && isLeader()) await keep(keeper).catch(complain(`keeping ${keeper.name} small`));
    }
  };
  // One after the other, whoever asks: slices of two rounds at once would do everything twice.
  const next = () => (running = running.then(round));

  const loop = (async () => {
    while (!ended.signal.aborted) {
      await pause(ROUND_MS, undefined, { signal: ended.signal }).catch(() => undefined);
      if (!ended.signal.aborted) await next();
    }
  })();

  return {
    add: (keeper) => void all.push(keeper),
    round: next,
    async stop() {
      ended.abort();
      await loop;
      await running;
    },
  };
}
