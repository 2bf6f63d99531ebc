// Figures over time, what of them is rolled up, and devices nobody heard of for too long.
import { type Kysely, sql, SqliteAdapter } from "kysely";
import type { Migration } from "kysely/migration";

export const series: Migration = {
  async up(db: Kysely<unknown>) {
    const table = db.schema
      .createTable("series")
      .addColumn("resolution", "integer", (c) => c.notNull())
      .addColumn("block", "integer", (c) => c.notNull())
      .addColumn("subject", "text", (c) => c.notNull())
      .addColumn("kind", "text", (c) => c.notNull())
      .addColumn("model", "text", (c) => c.notNull())
      .addColumn("version", "text", (c) => c.notNull())
      .addColumn("part", "integer", (c) => c.notNull())
      .addColumn("cells", "text", (c) => c.notNull())
      // Time before subject: what is written together lies together, on few pages, at the end of its resolution.
      .addPrimaryKeyConstraint("series_pk", ["resolution", "block", "subject", "kind", "model", "version", "part"]);
    // In SQLite the key would otherwise be written a second time, into an index beside the rows.
    const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter;
    await (isSqlite ? table.modifyEnd(sql`without rowid`) : table).execute();
    await db.schema
      .createTable("series_state")
      .addColumn("name", "text", (c) => c.primaryKey())
      .addColumn("value", "bigint", (c) => c.notNull())
      .execute();
    await db.schema.alterTable("devices").addColumn("dead_since", "text").execute();
    await db.schema.createIndex("labels_by_time").on("labels").column("at").execute();
    await db.schema.createIndex("events_by_kind").on("events").columns(["kind", "at"]).execute();
  },
};
