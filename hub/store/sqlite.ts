// The embedded store: better-sqlite3 in WAL mode. synchronous=FULL, because NORMAL loses acknowledged rows in a power cut.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import Database from "better-sqlite3";
import { Kysely, SqliteAdapter, SqliteDialect } from "kysely";
import type { Migration } from "kysely/migration";
import { makeOrExpect, migrate } from "./migrate.ts";
import { keepPrepared, type Prepared } from "./prepared.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { repositoriesOn } from "./repositories.ts";
import type { Schema } from "./schema.ts";
import type { Store } from "./store.ts";

/** SQLite's own waiting stops the loop, and every poll with it. */
const BUSY_TIMEOUT_MS = 20;
/** How long it is asked for the write lock, with the loop free in between. */
const PATIENCE_MS = 4_000;
const ASK_AGAIN_MS = 50;

/** Opens and migrates. @throws StoreRefusal when the file is of a newer hub, or the error of SQLite when it is damaged. */
export const openSqlite = (file: string, migrations?: Record<string, Migration>): Promise<Store> =>
  openWith(file, (db) => migrate(db, migrations));

/** For what works beside a hub: never migrates what is there. */
export const openSqliteBeside = (file: string): Promise<Store> => openWith(file, makeOrExpect);

async function openWith(file: string, agree: (db: Kysely<Schema>) => Promise<void>): Promise<Store> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const sqlite = new Database(file, { timeout: BUSY_TIMEOUT_MS });
  const prepared = keepPrepared(sqlite);
  const db = new Kysely<Schema>({ dialect: dialectOf(sqlite, prepared) });
  try {
    await patiently(async () => {
      sqlite.pragma("journal_mode = WAL");
      sqlite.pragma("synchronous = FULL");
      sqlite.pragma("foreign_keys = ON");
      await agree(db);
      prepared.forget();
    });
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const inTurn = oneAtATime();
  return {
    ...repositoriesOn(db),
    // One connection and one at a time: what a transaction reads no other changes before it ends.
    transaction: (work) => {
      const deadlineMs = performance.now() + PATIENCE_MS;
      let isBegun = false;
      const attempt = () =>
        db.transaction().execute((trx) => {
          isBegun = true;
          return work(repositoriesOn(trx));
        });
      // Only the beginning is tried again: once the lock is held, nothing is busy any more.
      return inTurn(() => patiently(attempt, deadlineMs, () => !isBegun));
    },
    close: () => db.destroy(),
  };
}

/** Another process (a backup, a command) holds the write lock for a moment: asked again, with the loop free in between. */
async function patiently<T>(
  work: () => Promise<T>,
  deadlineMs = performance.now() + PATIENCE_MS,
  mayRepeat = () => true,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || !mayRepeat() || performance.now() > deadlineMs) throw error;
      await pause(ASK_AGAIN_MS);
    }
  }
}

const isBusy = (error: unknown) => error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";

/** SQLite's DDL is transactional, whatever Kysely's adapter says: a migration that is killed leaves nothing behind. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function dialectOf(sqlite: Database.Database, prepared: Prepared): SqliteDialect {
  const dialect = new SqliteDialect({
    database: {
      close: () => void sqlite.close(),
      prepare: (sql) => prepared.of(wordingOf(sql, sqlite.inTransaction)),
    },
  });
  dialect.createAdapter = () => new TransactionalAdapter();
  return dialect;
}

/**
 * The write lock is taken at the beginning: a transaction that reads first and finds at its first write that another process
 * wrote meanwhile could not be saved. And after a full disk SQLite may have rolled back by itself: doing it again would hide why.
 */
function wordingOf(sql: string, isInTransaction: boolean): string {
  if (sql === "begin") return "begin immediate";
  return sql === "rollback" && !isInTransaction ? "select 1" : sql;
}
