// Run as a process by a test: begins to migrate a database, and is killed in the middle of the last migration.
import { openPostgres } from "../store/postgres.ts";
import { openSqlite } from "../store/sqlite.ts";
import { MIGRATIONS } from "../store/migrations/index.ts";
import type { Migration } from "kysely/migration";

const halfway: Migration = {
  async up(db) {
    await db.schema.createTable("half").addColumn("id", "text").execute();
    process.kill(process.pid, "SIGKILL");
    // The signal comes when the loop turns; nothing after this is ever done.
    await new Promise(() => undefined);
  },
};

const [where = ""] = process.argv.slice(2);
const open = where.startsWith("postgres://") ? openPostgres : openSqlite;
await open(where, { ...MIGRATIONS, "9999-halfway": halfway });
