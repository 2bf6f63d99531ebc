// Can this hub do its work: each thing it needs, tried and remembered for a few seconds, so that asking often costs nothing.
import { setTimeout as after } from "node:timers/promises";
import { seal, ASSIGNMENT_PAYLOAD_TYPE } from "@context-edge/protocol";
import type { Hub } from "../hub.ts";

export interface Check {
  ok: boolean;
  /** Why not, or null. */
  detail: string | null;
}
export type Checks = Record<"database" | "signing_key" | "artifacts" | "shutdown", Check>;

const REMEMBER_MS = 3_000;
const WRITE_AGAIN_MS = 30_000;
const PATIENCE_MS = 4_000;
const MARK = "ready";

export function readiness(hub: Pick<Hub, "store" | "keys" | "artifacts" | "ending" | "now">): () => Promise<Checks> {
  let known: { atMs: number; checks: Promise<Omit<Checks, "shutdown">> } | undefined;
  let writtenMs = -Infinity;
  /** A write: a disk that is full or a replica that may only read cannot take reports. Not at every question, for a write costs a sync. */
  const tryDatabase = async () => {
    if (performance.now() - writtenMs < WRITE_AGAIN_MS) return hub.store.marks.read(MARK);
    writtenMs = -Infinity;
    await hub.store.transaction((tx) => tx.marks.write(MARK, new Date(hub.now()).toISOString()));
    writtenMs = performance.now();
  };
  const look = async () => {
    const [database, signing_key, artifacts] = await Promise.all([
      attempt(tryDatabase),
      attempt(async () => void seal(ASSIGNMENT_PAYLOAD_TYPE, { ready: true }, hub.keys.signing)),
      attempt(() => hub.artifacts.reach()),
    ]);
    return { database, signing_key, artifacts };
  };
  return async () => {
    const nowMs = performance.now();
    if (!known || nowMs - known.atMs > REMEMBER_MS) known = { atMs: nowMs, checks: look() };
    const isEnding = hub.ending.signal.aborted;
    return {
      ...(await known.checks),
      shutdown: { ok: !isEnding, detail: isEnding ? "the hub is about to stop" : null },
    };
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
    return { ok: false, detail: error instanceof Error ? error.message.slice(0, 200) : "it failed" };
  } finally {
    late.abort();
  }
}
