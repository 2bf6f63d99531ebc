// How attempts ended, each once: who told it under which number, and which event of the history has it.
import type { Kysely } from "kysely";
import type { OutcomeReport } from "@context-edge/protocol";
import type { Schema } from "./schema.ts";
import type { Repositories } from "./store.ts";

export function outcomesOn(db: Kysely<Schema>): Repositories["outcomes"] {
  /** The history is never cleaned up; what somebody cut out of it is nowhere else. */
  const toldIn = async (events: readonly number[]) => {
    if (events.length === 0) return new Map<number, string>();
    const rows = await db
      .selectFrom("events")
      .select(["id", "data"])
      .where("id", "in", [...events])
      .execute();
    return new Map(rows.map(({ id, data }) => [id, data]));
  };
  return {
    isKnown: async ({ device_id, outbox, number }) => {
      const query = db.selectFrom("outcomes").select("id").where("device_id", "=", device_id);
      return (await query.where("outbox", "=", outbox).where("number", "=", number).executeTakeFirst()) !== undefined;
    },
    insert: async ({ device_id, outbox, number, report: { deployment_id, at } }, event) => {
      const row = { device_id, outbox, number, id: event, deployment_id, at, report: null };
      await db.insertInto("outcomes").values(row).execute();
    },
    ofDevice: async (deviceId, limit, before) => {
      const all = db.selectFrom("outcomes").selectAll().where("device_id", "=", deviceId);
      const page = before === undefined ? all : all.where("id", "<", before);
      const rows = await page.orderBy("id", "desc").limit(limit).execute();
      const told = await toldIn(rows.flatMap(({ id, report }) => (report === null ? [id] : [])));
      return rows.flatMap(({ id, device_id, outbox, number, report: text }) => {
        const report = text === null ? outcomeIn(told.get(id)) : (JSON.parse(text) as OutcomeReport);
        return report ? [{ id, device_id, outbox, number, report }] : [];
      });
    },
  };
}

const outcomeIn = (data: string | undefined) =>
  data === undefined ? undefined : (JSON.parse(data) as { outcome?: OutcomeReport }).outcome;
