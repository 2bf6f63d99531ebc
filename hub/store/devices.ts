// Devices over Kysely: who they are, what they reported, and when they were last heard of.
import { type Kysely, sql } from "kysely";
import { fromDevice, toDevice, withoutOutcomes } from "./rows.ts";
import type { Schema } from "./schema.ts";
import type { Repositories } from "./store.ts";

/** Two parameters a row, below SQLite's limit. */
const TOUCHES_PER_UPDATE = 1_000;

export function devicesOn(db: Kysely<Schema>): Repositories["devices"] {
  const all = db
    .selectFrom("devices")
    .leftJoin("sightings", "sightings.device_id", "devices.id")
    .selectAll("devices")
    .select("sightings.at as last_seen");
  return {
    list: async () => (await all.orderBy("id").execute()).map(toDevice),
    some: async (ids) => (ids.length === 0 ? [] : (await all.where("id", "in", [...ids]).execute()).map(toDevice)),
    after: async (id, limit) => (await all.where("id", ">", id).orderBy("id").limit(limit).execute()).map(toDevice),
    mentioning: async (words) =>
      (await all.where("revoked", "=", 0).where("observed", "like", `%${words}%`).orderBy("id").execute()).map(
        toDevice,
      ),
    idsIn: async (group) => {
      const rows = await db
        .selectFrom("devices")
        .select("id")
        .where("group_name", "=", group)
        .where("revoked", "=", 0)
        .execute();
      return rows.map(({ id }) => id);
    },
    revokedIn: (group) => {
      const revoked = db.selectFrom("devices").select(["id", "assignment_sequence"]).where("revoked", "=", 1);
      return revoked.where("group_name", "=", group).execute();
    },
    find: async (id) => {
      const row = await all.where("id", "=", id).executeTakeFirst();
      return row && toDevice(row);
    },
    byCredential: async (hash) => {
      const row = await all.where("credential_hash", "=", hash).executeTakeFirst();
      return row && toDevice(row);
    },
    put: async (device) => {
      const row = fromDevice(device);
      await db
        .insertInto("devices")
        .values(row)
        .onConflict((c) => c.column("id").doUpdateSet(row))
        .execute();
      await db.deleteFrom("sightings").where("device_id", "=", device.id).execute();
      if (device.last_seen === null) return;
      await db.insertInto("sightings").values({ device_id: device.id, at: device.last_seen }).execute();
    },
    assign: async (id, assignment) => {
      await db.updateTable("devices").set(assignment).where("id", "=", id).execute();
    },
    hold: async (id, { hold, assignment_sequence }) => {
      const held = { hold: hold && JSON.stringify(hold), assignment_sequence };
      await db.updateTable("devices").set(held).where("id", "=", id).execute();
    },
    saveReport: async (id, { observed, last_outcomes, ...numbers }) => {
      const documents = {
        observed: JSON.stringify(withoutOutcomes(observed)),
        last_outcomes: JSON.stringify(last_outcomes),
      };
      await db
        .updateTable("devices")
        .set({ ...numbers, ...documents })
        .where("id", "=", id)
        .execute();
    },
    touch: async (seen) => {
      // In one order, or two replicas that write the same devices could wait for each other for ever.
      const rows = [...seen].toSorted(([one], [other]) => (one < other ? -1 : 1));
      for (let start = 0; start < rows.length; start += TOUCHES_PER_UPDATE) {
        const slice = sql.join(rows.slice(start, start + TOUCHES_PER_UPDATE).map(([id, at]) => sql`(${id}, ${at})`));
        // Never back in time: another replica may have heard of the device since.
        await sql`insert into sightings (device_id, at) values ${slice}
          on conflict (device_id) do update set at = excluded.at where sightings.at < excluded.at`.execute(db);
      }
    },
  };
}
