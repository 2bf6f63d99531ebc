// A connection of its own to PostgreSQL, held for as long as the process lives: proved alive again and again, and made anew when it is not.
import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

interface Watch {
  url: string;
  name: string;
  /** How often it is used, and how long an answer may take. */
  everyMs: number;
  timeoutMs: number;
  onConnect(client: pg.Client): Promise<void>;
  /** Each time it is due; whatever it throws ends the connection. */
  onBeat(client: pg.Client): Promise<void>;
  onLost(): void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3_000;

/** What pg_stat_activity shows: which hub this is, and what the session is for. PostgreSQL cuts it at 63 bytes. */
export const sessionName = (what: string) => `context-edge ${what} ${hostname().slice(0, 30)}/${process.pid}`;

/** @returns when the first attempt is over, however it ended; later ones go on by themselves until `close`. */
export async function watchConnection(watch: Watch): Promise<{ close(): Promise<void> }> {
  const stop = new AbortController();
  const firstTry = Promise.withResolvers<void>();

  const live = async () => {
    const client = new pg.Client({
      connectionString: watch.url,
      application_name: watch.name,
      connectionTimeoutMillis: watch.timeoutMs,
      query_timeout: watch.timeoutMs,
      keepAlive: true,
    });
    const lost = new AbortController();
    client.on("error", () => lost.abort());
    client.on("end", () => lost.abort());
    const ended = AbortSignal.any([lost.signal, stop.signal]);
    try {
      await client.connect();
      await watch.onConnect(client);
      firstTry.resolve();
      while (!ended.aborted) {
        await pause(watch.everyMs, undefined, { signal: ended }).catch(() => undefined);
        if (!ended.aborted) await watch.onBeat(client);
      }
    } finally {
      watch.onLost();
      // Not waited for: a server that does not answer would not answer this either.
      client.end().catch(() => undefined);
    }
  };

  const loop = (async () => {
    let pauseMs = FIRST_PAUSE_MS;
    while (!stop.signal.aborted) {
      const began = performance.now();
      await live().catch(() => undefined);
      firstTry.resolve();
      if (performance.now() - began > LONGEST_PAUSE_MS) pauseMs = FIRST_PAUSE_MS;
      await pause(pauseMs * (0.5 + Math.random()), undefined, { signal: stop.signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  })();
  await firstTry.promise;
  return {
    async close() {
      stop.abort();
      await loop;
    },
  };
}
