// Accounts, sessions, one-time links, API tokens and join tokens. Of every secret only its hash is kept.
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const people: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("users")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("name", "text", (c) => c.notNull().unique())
      .addColumn("password_hash", "text")
      .addColumn("oidc_subject", "text", (c) => c.unique())
      .addColumn("role", "text", (c) => c.notNull())
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("created_by", "text", (c) => c.notNull())
      .addColumn("disabled_at", "text")
      .execute();

    await db.schema
      .createTable("sessions")
      .addColumn("hash", "text", (c) => c.primaryKey())
      .addColumn("user_id", "text", (c) => c.references("users.id"))
      .addColumn("bound_to", "text")
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("last_used", "text", (c) => c.notNull())
      .addColumn("expires_at", "text", (c) => c.notNull())
      .execute();
    await db.schema.createIndex("sessions_by_user").on("sessions").column("user_id").execute();

    await db.schema
      .createTable("one_time_links")
      .addColumn("hash", "text", (c) => c.primaryKey())
      .addColumn("user_id", "text", (c) => c.references("users.id"))
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("expires_at", "text", (c) => c.notNull())
      .execute();

    await db.schema
      .createTable("tokens")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("name", "text", (c) => c.notNull())
      .addColumn("hash", "text", (c) => c.notNull().unique())
      .addColumn("prefix", "text", (c) => c.notNull())
      .addColumn("scope", "text", (c) => c.notNull())
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("created_by", "text", (c) => c.notNull())
      .addColumn("expires_at", "text")
      .addColumn("last_used", "text")
      .addColumn("revoked_at", "text")
      .execute();

    await db.schema
      .createTable("join_tokens")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("name", "text", (c) => c.notNull())
      .addColumn("hash", "text", (c) => c.notNull().unique())
      .addColumn("prefix", "text", (c) => c.notNull())
      .addColumn("group_name", "text")
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("created_by", "text", (c) => c.notNull())
      .addColumn("expires_at", "text")
      .addColumn("uses_left", "integer")
      .addColumn("revoked_at", "text")
      .execute();
  },
};
