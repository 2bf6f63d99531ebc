// The store of several hubs: PostgreSQL, with the writes of all replicas one after another, as on SQLite.
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import pg from "pg";
import { ProblemError } from "../problem-error.ts";
import { LOCK } from "./locks.ts";
import { makeOrExpect, migrate } from "./migrate.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { kyselyOn, TYPES } from "./postgres-dialect.ts";
import { repositoriesOn } from "./repositories.ts";
import type { Schema } from "./schema.ts";
import type { Store } from "./store.ts";

const CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 3_000;
/** A write that waits longer for its turn is refused: the caller tries again. */
const LOCK_TIMEOUT_MS = 8_000;
/** Waiting in this replica's own queue, while those before it wait for a server that does not answer. */
const PATIENCE_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** A replica that freezes in the middle of a transaction must not keep the others from writing. */
const IDLE_IN_TRANSACTION_MS = 10_000;

const waitedInVain = () =>
  new ProblemError("STORE_UNAVAILABLE", "The database has been slow to answer for a while.", {
    nextStep: "Try again when Retry-After says; nothing was changed.",
  });

/**
 * Opens and migrates.
 *
 * Isolation: every transaction first takes one advisory lock that ends with it, so the writers of all replicas follow one
 * another exactly as they do on SQLite's single connection. The rest of the hub is written for that: the hash chain reads its
 * head and appends to it, a deployment compares the target it saw and sets another, a manifest gets the number after the last
 * one. SERIALIZABLE would be right too, but a transaction may then fail at its end and has to be run again, with whatever it
 * did outside the database (a signature, a random id), and every long report batch would collide at the head of the chain
 * anyway. Behind the lock READ COMMITTED suffices: each statement sees what the previous holder committed. Event ids are
 * given behind it as well, so they become visible in their order and a reader that asks for "after 41" misses none.
 * What is written outside a transaction (a gate's figures) is a single statement about a row of its own.
 */
export const openPostgres = (url: string, migrations?: Record<string, Migration>): Promise<Store> =>
  openWith(url, (db) => migrate(db, migrations));

/** For what works beside hubs: never migrates what is there. */
export const openPostgresBeside = (url: string): Promise<Store> => openWith(url, makeOrExpect);

async function openWith(url: string, agree: (db: Kysely<Schema>) => Promise<void>): Promise<Store> {
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    types: TYPES,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    application_name: "context-edge hub",
  });
  // An idle connection that the server closes is simply replaced; unheard, the error would end the process.
  pool.on("error", () => undefined);
  // One that is in use has no listener of the pool: its query fails, and that is where it is told.
  pool.on("connect", (client) => void client.on("error", () => undefined));
  const db = kyselyOn(pool);
  await agree(db).catch(async (error: unknown) => {
    await db.destroy();
    throw error;
  });
  // Within this replica first, so that however many wait, they hold one connection and reads still have theirs.
  const inTurn = oneAtATime();
  return {
    ...repositoriesOn(db),
    transaction: (work) => {
      const deadlineMs = performance.now() + PATIENCE_MS;
      return inTurn(() => {
        if (performance.now() > deadlineMs) throw waitedInVain();
        return db.transaction().execute(async (trx) => {
          await sql`select pg_advisory_xact_lock(${sql.lit(LOCK.space)}, ${sql.lit(LOCK.write)})`.execute(trx);
          return work(repositoriesOn(trx));
        });
      });
    },
    close: () => db.destroy(),
  };
}
