// Can this hub do its work: each thing it needs, tried and remembered for a few seconds, so that asking often costs nothing.
import { setTimeout as after } from "node:timers/promises";
import { seal, ASSIGNMENT_PAYLOAD_TYPE } from "@context-edge/protocol";
import type { Hub } from "../hub.ts";
import type { Written } from "./writes.ts";

export interface Check {
  ok: boolean;
  /** Why not, or null. */
  detail: string | null;
}
export type Checks = Record<"database" | "signing_key" | "artifacts" | "shutdown", Check>;
type Ports = Pick<Hub, "store" | "keys" | "artifacts" | "ending" | "now" | "writes" | "databaseFile" | "log">;

/** What was seen counts for so long; a write that failed meanwhile counts at once, and as long. */
const REMEMBER_MS = 3_000;
const PATIENCE_MS = 4_000;
const MARK = "ready";

export function readiness(hub: Ports): () => Promise<Checks> {
  let known: { atMs: number; checks: Promise<Omit<Checks, "shutdown">> } | undefined;
  let told = "";

  /** A write, not a look: a disk that is full or a replica that may only read cannot take reports. */
  const tryDatabase = async () => {
    await hub.databaseFile.requireInPlace();
    await hub.store.transaction((tx) => tx.marks.write(MARK, new Date(hub.now()).toISOString()));
  };
  const look = async () => {
    const [database, signing_key, artifacts] = await Promise.all([
      attempt(tryDatabase),
      attempt(async () => void seal(ASSIGNMENT_PAYLOAD_TYPE, { ready: true }, hub.keys.signing)),
      attempt(() => hub.artifacts.reach()),
    ]);
    return { database, signing_key, artifacts };
  };
  /** Somebody else's write may have failed where our small one did not, or since then. */
  const doubted = (what: Written, check: Check): Check => {
    const failure = hub.writes.failure(what);
    const isNews = failure !== null && performance.now() - failure.atMs < REMEMBER_MS;
    return check.ok && isNews ? { ok: false, detail: failure.why } : check;
  };
  const tell = (checks: Checks) => {
    const bad = Object.entries(checks).filter(([what, { ok }]) => !ok && what !== "shutdown");
    const words = bad.map(([what, { detail }]) => `${what}: ${detail}`).join("; ");
    if (words === told) return;
    if (words !== "") hub.log.error({ checks }, `the hub is not ready: ${words}`);
    else hub.log.info("the hub is ready again");
    told = words;
  };

  return async () => {
    const nowMs = performance.now();
    if (!known || nowMs - known.atMs > REMEMBER_MS) known = { atMs: nowMs, checks: look() };
    const { database, artifacts, signing_key } = await known.checks;
    const isEnding = hub.ending.signal.aborted;
    const checks = {
      database: doubted("database", database),
      signing_key,
      artifacts: doubted("artifacts", artifacts),
      shutdown: { ok: !isEnding, detail: isEnding ? "the hub is about to stop" : null },
    };
    tell(checks);
    return checks;
  };
}

async function attempt(work: () => Promise<unknown>): Promise<Check> {
  const late = new AbortController();
  try {
    await Promise.race([
      work(),
      after(PATIENCE_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error(`no answer within ${PATIENCE_MS / 1_000} s`);
      }),
    ]);
    return { ok: true, detail: null };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message.slice(0, 300) : "it failed" };
  } finally {
    late.abort();
  }
}
