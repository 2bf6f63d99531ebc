// Webhooks, what is to be delivered to each, absences that were told, and named marks such as "told up to event N".
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export const webhooks: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("marks")
      .addColumn("name", "text", (c) => c.primaryKey())
      .addColumn("value", "text", (c) => c.notNull())
      .execute();
    await db.schema
      .createTable("webhooks")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("url", "text", (c) => c.notNull())
      .addColumn("secret", "text", (c) => c.notNull())
      .addColumn("kinds", "text", (c) => c.notNull())
      .addColumn("format", "text", (c) => c.notNull())
      .addColumn("enabled", "integer", (c) => c.notNull())
      .addColumn("offline_after_seconds", "integer")
      .addColumn("created_by", "text", (c) => c.notNull())
      .addColumn("created_at", "text", (c) => c.notNull())
      .execute();
    await db.schema
      .createTable("webhook_deliveries")
      .addColumn("webhook_id", "text", (c) => c.notNull().references("webhooks.id").onDelete("cascade"))
      .addColumn("number", "integer", (c) => c.notNull())
      .addColumn("message_id", "text", (c) => c.notNull())
      .addColumn("kind", "text", (c) => c.notNull())
      .addColumn("body", "text", (c) => c.notNull())
      .addColumn("state", "text", (c) => c.notNull())
      .addColumn("aside", "integer", (c) => c.notNull())
      .addColumn("tries", "integer", (c) => c.notNull())
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("next_at", "text")
      .addColumn("last_at", "text")
      .addColumn("last_status", "integer")
      .addColumn("last_error", "text")
      .addPrimaryKeyConstraint("webhook_deliveries_pk", ["webhook_id", "number"])
      .addUniqueConstraint("webhook_deliveries_once", ["webhook_id", "message_id"])
      .execute();
    await db.schema
      .createIndex("webhook_deliveries_by_state")
      .on("webhook_deliveries")
      .columns(["state", "webhook_id", "number"])
      .execute();
    await db.schema
      .createTable("absences")
      .addColumn("device_id", "text", (c) => c.notNull())
      .addColumn("limit_seconds", "integer", (c) => c.notNull())
      .addColumn("since", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("absences_pk", ["device_id", "limit_seconds"])
      .execute();
    // What happened before there were webhooks is not told.
    const { rows } = await sql<{ last: number | string | null }>`select max(id) as last from events`.execute(db);
    const last = String(rows[0]?.last ?? 0);
    await sql`insert into marks (name, value) values ('announced', ${last})`.execute(db);
  },
};
