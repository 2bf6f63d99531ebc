// Idempotency keys: which request a key stood for, and what its first answer was.
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const idempotency: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("idempotency_keys")
      .addColumn("actor", "text", (c) => c.notNull())
      .addColumn("key", "text", (c) => c.notNull())
      .addColumn("fingerprint", "text", (c) => c.notNull())
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("status", "integer")
      .addColumn("content_type", "text")
      .addColumn("body", "text")
      .addPrimaryKeyConstraint("idempotency_keys_pk", ["actor", "key"])
      .execute();
    await db.schema.createIndex("idempotency_keys_by_age").on("idempotency_keys").column("created_at").execute();
  },
};
