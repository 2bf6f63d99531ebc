// Writes that failed for no fault of the request: remembered, so that /readyz says so at once, and told in the log without a line for each.
import type { Logger } from "pino";
import { ProblemError } from "../problem-error.ts";
import { outageOf } from "../store/outage.ts";
import type { Store } from "../store/store.ts";

export type Written = "database" | "artifacts";

export interface Failure {
  atMs: number;
  why: string;
}

export interface Writes {
  /** The same store, but transactions that fail for an outage are noticed. */
  over(store: Store): Store;
  /** Something that was to be written there was not. Errors that are no outage are left alone. */
  failed(what: Written, error: unknown): void;
  /** The newest failure, or null. By the same clock as `nowMs`. */
  failure(what: Written): Failure | null;
}

const TELL_EVERY_MS = 30_000;
/** Without a failure for so long, one that succeeds is good news; while a disk is full small ones may still succeed. */
const CALM_MS = 5_000;

export function watchWrites(log: Pick<Logger, "error" | "info">, nowMs = () => performance.now()): Writes {
  const newest: Record<Written, Failure | null> = { database: null, artifacts: null };
  let told = { atMs: -Infinity, since: 0 };
  let isTold = false;

  const failed = (what: Written, error: unknown) => {
    const why = whyNot(error);
    if (why === null) return;
    newest[what] = { atMs: nowMs(), why };
    told.since += 1;
    if (nowMs() - told.atMs < TELL_EVERY_MS) return;
    log.error({ err: error, failures: told.since }, `the ${what} cannot be written: ${why}`);
    told = { atMs: nowMs(), since: 0 };
    isTold = true;
  };
  const succeeded = () => {
    if (!isTold || nowMs() - (newest.database?.atMs ?? -Infinity) < CALM_MS) return;
    isTold = false;
    told = { atMs: -Infinity, since: 0 };
    log.info("the database is written again");
  };

  return {
    over: (store) => ({
      ...store,
      transaction: async (work) => {
        try {
          const result = await store.transaction(work);
          succeeded();
          return result;
        } catch (error) {
          failed("database", error);
          throw error;
        }
      },
    }),
    failed,
    failure: (what) => newest[what],
  };
}

function whyNot(error: unknown): string | null {
  const outage = outageOf(error);
  if (outage === "full") return "its disk is full";
  if (outage === "away" && error instanceof Error) return error.message.slice(0, 200);
  return error instanceof ProblemError && error.code === "STORE_UNAVAILABLE" ? error.message : null;
}
