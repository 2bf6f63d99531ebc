// Brings a database to the newest schema: forward only, all or nothing, and once however many hubs start at the same time.
import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { MIGRATIONS } from "./migrations/index.ts";
import type { Schema } from "./schema.ts";

/**
 * Every migration that is still to do runs in one transaction, so a hub that is killed in the middle leaves the old schema.
 * Where several start at once, Kysely's lock (PostgreSQL) or the write lock of the transaction (SQLite) lets one do it.
 * @throws the migration's own error, or one that says the database is of a newer hub.
 */
export async function migrate(db: Kysely<Schema>, migrations: Record<string, Migration> = MIGRATIONS): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  throw error instanceof Error ? error : new Error("the database could not be migrated", { cause: error });
}
