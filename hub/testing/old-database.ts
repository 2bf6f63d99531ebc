// A database as an earlier release left it.
import type { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { MIGRATIONS } from "../store/migrations/index.ts";

/** Brings an empty database up to the migration of that name and no further. */
export async function migrateOnlyTo<DB>(db: Kysely<DB>, name: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateTo(name);
  if (error !== undefined) throw new Error(`it cannot be migrated to ${name}`, { cause: error });
}
