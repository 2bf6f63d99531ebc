// The first schema. Forward only; column types are the ones SQLite and PostgreSQL both understand.
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const first: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("versions")
      .addColumn("model", "text", (c) => c.notNull())
      .addColumn("version_id", "text", (c) => c.notNull())
      .addColumn("stage", "text", (c) => c.notNull())
      .addColumn("accuracy", "double precision", (c) => c.notNull())
      .addColumn("training_samples", "bigint", (c) => c.notNull())
      .addColumn("training_date", "text", (c) => c.notNull())
      .addColumn("metrics", "text", (c) => c.notNull())
      .addColumn("variants", "text", (c) => c.notNull())
      .addColumn("sha256", "text", (c) => c.notNull())
      .addColumn("size_bytes", "bigint", (c) => c.notNull())
      .addColumn("model_path", "text", (c) => c.notNull())
      .addColumn("statement", "text")
      .addColumn("signed_by", "text")
      .addColumn("content_hash", "text", (c) => c.notNull())
      .addColumn("registered_at", "text", (c) => c.notNull())
      .addColumn("registered_by", "text", (c) => c.notNull())
      .addColumn("decided_by", "text")
      .addColumn("decided_at", "text")
      .addColumn("decision_reason", "text")
      .addPrimaryKeyConstraint("versions_pk", ["model", "version_id"])
      .execute();

    await db.schema
      .createTable("groups")
      .addColumn("name", "text", (c) => c.primaryKey())
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("manifest_sequence", "bigint", (c) => c.notNull())
      .addColumn("manifest", "text")
      .addColumn("manifest_content", "text")
      .execute();

    await db.schema
      .createTable("deployments")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("model", "text", (c) => c.notNull())
      .addColumn("version", "text", (c) => c.notNull())
      .addColumn("kind", "text", (c) => c.notNull())
      .addColumn("groups", "text", (c) => c.notNull())
      .addColumn("previous", "text", (c) => c.notNull())
      .addColumn("state", "text", (c) => c.notNull())
      .addColumn("state_reason", "text", (c) => c.notNull())
      .addColumn("share", "double precision", (c) => c.notNull())
      .addColumn("retry", "integer", (c) => c.notNull())
      .addColumn("tolerated", "integer", (c) => c.notNull())
      .addColumn("excused", "text", (c) => c.notNull())
      .addColumn("reason", "text", (c) => c.notNull())
      .addColumn("created_by", "text", (c) => c.notNull())
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("soaking_since", "text")
      .addColumn("finished_at", "text")
      .addColumn("gate", "text")
      .addColumn("progress", "text")
      .addForeignKeyConstraint("deployments_version_fk", ["model", "version"], "versions", ["model", "version_id"])
      .execute();

    await db.schema
      .createTable("targets")
      .addColumn("group_name", "text", (c) => c.notNull().references("groups.name"))
      .addColumn("model", "text", (c) => c.notNull())
      .addColumn("version", "text", (c) => c.notNull())
      .addColumn("previous_version", "text")
      .addColumn("deployment_id", "text", (c) => c.notNull().references("deployments.id"))
      .addColumn("since", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("targets_pk", ["group_name", "model"])
      .execute();

    await db.schema
      .createTable("devices")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("group_name", "text", (c) => c.notNull().references("groups.name"))
      .addColumn("home_group", "text")
      .addColumn("credential_hash", "text", (c) => c.notNull().unique())
      .addColumn("enrolled_at", "text", (c) => c.notNull())
      .addColumn("last_seen", "text")
      .addColumn("revoked", "integer", (c) => c.notNull())
      .addColumn("assignment_sequence", "bigint", (c) => c.notNull())
      .addColumn("outbox", "text")
      .addColumn("observed_number", "bigint", (c) => c.notNull())
      .addColumn("outcome_number", "bigint", (c) => c.notNull())
      .addColumn("observed", "text")
      .addColumn("last_outcomes", "text", (c) => c.notNull())
      .execute();
    await db.schema.createIndex("devices_by_group").on("devices").column("group_name").execute();

    await db.schema
      .createTable("outcomes")
      .addColumn("id", "integer", (c) => c.primaryKey().autoIncrement())
      .addColumn("device_id", "text", (c) => c.notNull().references("devices.id"))
      .addColumn("outbox", "text", (c) => c.notNull())
      .addColumn("number", "bigint", (c) => c.notNull())
      .addColumn("deployment_id", "text", (c) => c.notNull())
      .addColumn("at", "text", (c) => c.notNull())
      .addColumn("report", "text", (c) => c.notNull())
      .addUniqueConstraint("outcomes_once", ["device_id", "outbox", "number"])
      .execute();
    await db.schema.createIndex("outcomes_by_deployment").on("outcomes").column("deployment_id").execute();

    await db.schema
      .createTable("labels")
      .addColumn("model", "text", (c) => c.notNull())
      .addColumn("version", "text", (c) => c.notNull())
      .addColumn("prediction_id", "text", (c) => c.notNull())
      .addColumn("device_id", "text", (c) => c.notNull())
      .addColumn("predicted", "text", (c) => c.notNull())
      .addColumn("actual", "text", (c) => c.notNull())
      .addColumn("at", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("labels_once", ["model", "version", "prediction_id"])
      .execute();

    await db.schema
      .createTable("events")
      .addColumn("id", "integer", (c) => c.primaryKey().autoIncrement())
      .addColumn("at", "text", (c) => c.notNull())
      .addColumn("kind", "text", (c) => c.notNull())
      .addColumn("actor", "text", (c) => c.notNull())
      .addColumn("subject", "text", (c) => c.notNull())
      .addColumn("summary", "text", (c) => c.notNull())
      .addColumn("data", "text", (c) => c.notNull())
      .execute();
  },
};
