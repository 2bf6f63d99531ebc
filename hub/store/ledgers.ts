// What only grows: labelled predictions, each once, and the history that audit and live updates are made of.
import type { Kysely } from "kysely";
import type { LabelRecord } from "./records.ts";
import { toEvent } from "./rows.ts";
import type { Schema } from "./schema.ts";
import type { Repositories } from "./store.ts";

/** Below SQLite's limit of bound parameters: seven columns a row. */
const LABELS_PER_INSERT = 500;

export function labelsOn(db: Kysely<Schema>): Repositories["labels"] {
  return {
    insert: async (labels) => {
      let added = 0;
      for (let start = 0; start < labels.length; start += LABELS_PER_INSERT) {
        const slice: LabelRecord[] = labels.slice(start, start + LABELS_PER_INSERT);
        const result = await db
          .insertInto("labels")
          .values(slice)
          .onConflict((conflict) => conflict.columns(["model", "version", "prediction_id"]).doNothing())
          .executeTakeFirst();
        added += Number(result.numInsertedOrUpdatedRows ?? 0n);
      }
      return added;
    },
    counts: async (model, version) => {
      const rows = await db
        .selectFrom("labels")
        .select(["predicted", "actual"])
        .select((eb) => eb.fn.countAll<number | string>().as("count"))
        .where("model", "=", model)
        .where("version", "=", version)
        .groupBy(["predicted", "actual"])
        .execute();
      return rows.map((row) => ({ ...row, count: Number(row.count) }));
    },
  };
}

export function eventsOn(db: Kysely<Schema>): Repositories["events"] {
  const all = db.selectFrom("events").selectAll();
  return {
    append: async (event) => {
      const row = await db
        .insertInto("events")
        .values({ ...event, data: JSON.stringify(event.data) })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toEvent(row);
    },
    after: async (id, limit) => (await all.where("id", ">", id).orderBy("id").limit(limit).execute()).map(toEvent),
    newest: async (limit, beforeId) => {
      const query = beforeId === undefined ? all : all.where("id", "<", beforeId);
      return (await query.orderBy("id", "desc").limit(limit).execute()).map(toEvent);
    },
    lastId: async () => {
      const row = await db
        .selectFrom("events")
        .select((eb) => eb.fn.max<number | string | null>("id").as("last"))
        .executeTakeFirst();
      return Number(row?.last ?? 0);
    },
  };
}
