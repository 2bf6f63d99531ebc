// The embedded store: better-sqlite3 in WAL mode. synchronous=FULL, because NORMAL loses acknowledged rows in a power cut.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";
import { Migrator } from "kysely/migration";
import { first } from "./migrations/0001-first.ts";
import { hold } from "./migrations/0002-hold.ts";
import { repositoriesOn } from "./repositories.ts";
import type { Schema } from "./schema.ts";
import type { Store } from "./store.ts";

const BUSY_TIMEOUT_MS = 5_000;

/** Opens and migrates. @throws with the migration's own error when the file is of a newer hub or is damaged. */
export async function openSqlite(file: string): Promise<Store> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const sqlite = new Database(file, { timeout: BUSY_TIMEOUT_MS });
  sqlite.pragma("journal_mode = WAL");
  sqlite.pragma("synchronous = FULL");
  sqlite.pragma("foreign_keys = ON");
  const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database: sqlite }) });
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ "0001-first": first, "0002-hold": hold }) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error) {
    await db.destroy();
    throw error instanceof Error ? error : new Error("the database could not be migrated", { cause: error });
  }
  return {
    ...repositoriesOn(db),
    // One connection: transactions follow one another, so what one reads no other changes before it ends.
    transaction: (work) => db.transaction().execute((trx) => work(repositoriesOn(trx))),
    close: () => db.destroy(),
  };
}
