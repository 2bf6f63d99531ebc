// The conductor's lock: an advisory lock of a session, so that it is free again as soon as its holder's connection is gone.
import type { Leader } from "../leader.ts";
import { LOCK } from "./locks.ts";
import { sessionName, watchConnection } from "./watched-connection.ts";

const BEAT_MS = 1_000;
const TIMEOUT_MS = 2_000;
/**
 * The former leader must have stopped before another can begin, even if it is frozen or cut off from the network without a
 * word. It leads for this long after it sent the last question that was answered; the server ends a session, and frees its
 * lock, only when it has heard no question for longer than that. The server's count starts later than ours.
 */
const LEASE_MS = 4_000;
const SESSION_IDLE_MS = 8_000;

export async function postgresLeader(url: string, nowMs: () => number = () => performance.now()): Promise<Leader> {
  let leadsUntilMs = -Infinity;
  const tryLock = `select pg_try_advisory_lock(${LOCK.space}, ${LOCK.conductor}) as held`;
  let isHeld = false;
  let term = 0;
  const beat = async (ask: (text: string) => Promise<{ rows: unknown[] }>) => {
    const askedMs = nowMs();
    // Asking for a lock that one holds already counts it up: it is asked for once.
    const { rows } = await ask(isHeld ? "select true as held" : tryLock);
    const [row] = rows as { held: boolean }[];
    if (!isHeld && row?.held === true) term += 1;
    isHeld = row?.held === true;
    if (isHeld) leadsUntilMs = askedMs + LEASE_MS;
  };
  const connection = await watchConnection({
    url,
    name: sessionName("conductor"),
    everyMs: BEAT_MS,
    timeoutMs: TIMEOUT_MS,
    async onConnect(client) {
      await client.query(`set idle_session_timeout = ${SESSION_IDLE_MS}`);
      await beat((text) => client.query(text));
    },
    onBeat: (client) => beat((text) => client.query(text)),
    onLost() {
      isHeld = false;
      leadsUntilMs = -Infinity;
    },
  });
  return {
    isLeader: () => nowMs() < leadsUntilMs,
    term: () => term,
    close: () => connection.close(),
  };
}
