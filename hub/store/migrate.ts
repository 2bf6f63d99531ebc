// Brings a database to the newest schema: forward only, all or nothing, and once however many hubs start at the same time.
import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { MIGRATIONS } from "./migrations/index.ts";
import type { Schema } from "./schema.ts";
import { newerRelease, olderRelease, schemaOf } from "./schema-state.ts";

/**
 * Every migration that is still to do runs in one transaction, so a hub that is killed in the middle leaves the old schema.
 * Where several start at once, Kysely's lock (PostgreSQL) or the write lock of the transaction (SQLite) lets one do it.
 * @throws the migration's own error, or StoreRefusal when the database is of a newer hub.
 */
export async function migrate(db: Kysely<Schema>, migrations: Record<string, Migration> = MIGRATIONS): Promise<void> {
  const before = await schemaOf(db, migrations);
  if (before.kind === "newer") throw newerRelease(before.unknown);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  throw error instanceof Error ? error : new Error("the database could not be migrated", { cause: error });
}

/** For what works beside a hub: an empty database gets its schema, any other must have this release's. @throws StoreRefusal */
export async function makeOrExpect(db: Kysely<Schema>): Promise<void> {
  const state = await schemaOf(db);
  if (state.kind === "newer") throw newerRelease(state.unknown);
  if (state.kind === "older") throw olderRelease(state.due);
  if (state.kind === "none") await migrate(db);
}
