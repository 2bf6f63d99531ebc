// What is written often is written small: last-seen apart from what devices reported; and an outcome once, in the history that tells of it.
import { type Kysely, sql, SqliteAdapter } from "kysely";
import type { Migration } from "kysely/migration";

export const writtenOnce: Migration = {
  async up(db: Kysely<unknown>) {
    // In SQLite a table whose key is text is otherwise two: the rows, and an index that has the key again.
    const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter;
    const end = isSqlite ? sql`without rowid` : sql``;

    await db.schema
      .createTable("sightings")
      .addColumn("device_id", "text", (c) => c.primaryKey())
      .addColumn("at", "text", (c) => c.notNull())
      .modifyEnd(end)
      .execute();
    await sql`insert into sightings (device_id, at)
      select id, last_seen from devices where last_seen is not null order by id`.execute(db);
    await db.schema.alterTable("devices").dropColumn("last_seen").execute();

    await db.schema
      .createTable("outcomes_once_told")
      .addColumn("device_id", "text", (c) => c.notNull().references("devices.id"))
      .addColumn("outbox", "text", (c) => c.notNull())
      .addColumn("number", "bigint", (c) => c.notNull())
      .addColumn("id", "bigint", (c) => c.notNull())
      .addColumn("deployment_id", "text", (c) => c.notNull())
      .addColumn("at", "text", (c) => c.notNull())
      .addColumn("report", "text")
      .addPrimaryKeyConstraint("outcomes_told_once", ["device_id", "outbox", "number"])
      .modifyEnd(end)
      .execute();
    // Each of them has an event of its own, so their count is below the number of any event to come: the order stays.
    await sql`insert into outcomes_once_told (device_id, outbox, number, id, deployment_id, at, report)
      select device_id, outbox, number, row_number() over (order by id), deployment_id, at, report from outcomes
      order by device_id, outbox, number`.execute(db);
    await db.schema.dropTable("outcomes").execute();
    await db.schema.alterTable("outcomes_once_told").renameTo("outcomes").execute();
  },
};
