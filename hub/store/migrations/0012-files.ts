// Files remember when somebody last uploaded them, and which of them are being removed: so that nobody registers what is about to go.
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const files: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("uploads")
      .addColumn("digest", "text", (c) => c.primaryKey())
      .addColumn("at", "text", (c) => c.notNull())
      .execute();
    await db.schema
      .createTable("condemned")
      .addColumn("digest", "text", (c) => c.primaryKey())
      .addColumn("size_bytes", "bigint", (c) => c.notNull())
      .addColumn("why", "text", (c) => c.notNull())
      .execute();
  },
};
