// The repositories over Kysely: plain SQL that SQLite and PostgreSQL both take.
import { type Kysely, sql } from "kysely";
import { CLOSED_DEPLOYMENT_STATES } from "@context-edge/protocol";
import { devicesOn } from "./devices.ts";
import { filesOn } from "./files.ts";
import { idempotencyOn } from "./idempotency.ts";
import { eventsOn, labelsOn } from "./ledgers.ts";
import { outcomesOn } from "./outcomes.ts";
import { peopleOn } from "./people.ts";
import { quarantinesOn } from "./quarantines.ts";
import { fromDeployment, fromVersion, toDeployment, toGroup, toVersion } from "./rows.ts";
import { retentionOn } from "./retention.ts";
import type { Schema } from "./schema.ts";
import { seriesOn } from "./series.ts";
import { signalsOn } from "./signals.ts";
import { testimoniesOn } from "./testimonies.ts";
import type { Repositories } from "./store.ts";
import { webhooksOn } from "./webhooks.ts";

export function repositoriesOn(db: Kysely<Schema>): Repositories {
  return {
    versions: versionsOn(db),
    groups: groupsOn(db),
    targets: {
      list: () => db.selectFrom("targets").selectAll().orderBy("group_name").execute(),
      put: async (target) => {
        await db
          .insertInto("targets")
          .values(target)
          .onConflict((conflict) => conflict.columns(["group_name", "model"]).doUpdateSet(target))
          .execute();
      },
      remove: async (group, model) => {
        await db.deleteFrom("targets").where("group_name", "=", group).where("model", "=", model).execute();
      },
      removeOf: async (group) => {
        await db.deleteFrom("targets").where("group_name", "=", group).execute();
      },
    },
    devices: devicesOn(db),
    outcomes: outcomesOn(db),
    deployments: deploymentsOn(db),
    quarantines: quarantinesOn(db),
    testimonies: testimoniesOn(db),
    labels: labelsOn(db),
    events: eventsOn(db),
    ...filesOn(db),
    ...webhooksOn(db),
    idempotency: idempotencyOn(db),
    signals: signalsOn(db),
    series: seriesOn(db),
    retention: retentionOn(db),
    ...peopleOn(db),
  };
}

function versionsOn(db: Kysely<Schema>): Repositories["versions"] {
  const all = db.selectFrom("versions").selectAll();
  return {
    list: async (model) =>
      (
        await all.where("model", "=", model).orderBy("registered_at", "desc").orderBy("version_id", "desc").execute()
      ).map(toVersion),
    find: async (model, version) => {
      const row = await all.where("model", "=", model).where("version_id", "=", version).executeTakeFirst();
      return row && toVersion(row);
    },
    withDigest: async (digest) => (await all.where("variants", "like", `%${digest}%`).execute()).map(toVersion),
    insert: async (version) => {
      await db.insertInto("versions").values(fromVersion(version)).execute();
    },
    decide: async (model, version, decision) => {
      await db
        .updateTable("versions")
        .set(decision)
        .where("model", "=", model)
        .where("version_id", "=", version)
        .execute();
    },
  };
}

function groupsOn(db: Kysely<Schema>): Repositories["groups"] {
  return {
    list: async () =>
      (await db.selectFrom("groups").selectAll().orderBy("created_at").orderBy("name").execute()).map(toGroup),
    find: async (name) => {
      const row = await db.selectFrom("groups").selectAll().where("name", "=", name).executeTakeFirst();
      return row && toGroup(row);
    },
    ensure: async (name, at) => {
      const result = await db
        .insertInto("groups")
        .values({ name, created_at: at, manifest_sequence: 0, manifest: null, manifest_content: null })
        .onConflict((conflict) => conflict.column("name").doNothing())
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
    remove: async (name) => {
      await db.deleteFrom("groups").where("name", "=", name).execute();
    },
    saveManifest: async (name, { manifest, ...rest }) => {
      const set = { ...rest, manifest: JSON.stringify(manifest) };
      await db.updateTable("groups").set(set).where("name", "=", name).execute();
    },
  };
}

/** Documents are kept as JSON text; everything else as it is. */
const textOf = (value: unknown) => (value !== null && typeof value === "object" ? JSON.stringify(value) : value);

function deploymentsOn(db: Kysely<Schema>): Repositories["deployments"] {
  const all = db.selectFrom("deployments").selectAll();
  return {
    list: async ({ model, version, state, group, limit, before }) => {
      let query = all.orderBy("id", "desc").limit(limit);
      if (model !== undefined) query = query.where("model", "=", model);
      if (version !== undefined) query = query.where("version", "=", version);
      if (state !== undefined) query = query.where("state", "=", state);
      // Names hold no quote; `_` is the one sign of theirs that LIKE would take for any.
      const listed = `%"${group?.replaceAll("_", "\\_") ?? ""}"%`;
      if (group !== undefined) query = query.where(sql<boolean>`${sql.ref("groups")} like ${listed} escape '\\'`);
      if (before !== undefined) query = query.where("id", "<", before);
      return (await query.execute()).map(toDeployment);
    },
    open: async () =>
      (
        await all
          .where("state", "not in", [...CLOSED_DEPLOYMENT_STATES])
          .orderBy("id")
          .execute()
      ).map(toDeployment),
    find: async (id) => {
      const row = await all.where("id", "=", id).executeTakeFirst();
      return row && toDeployment(row);
    },
    insert: async (deployment) => {
      await db.insertInto("deployments").values(fromDeployment(deployment)).execute();
    },
    update: async (id, change) => {
      const set = Object.fromEntries(Object.entries(change).map(([column, value]) => [column, textOf(value)]));
      if (Object.keys(set).length > 0) await db.updateTable("deployments").set(set).where("id", "=", id).execute();
    },
  };
}
