// What only grows: labelled predictions, each once, and the history that audit and live updates are made of.
import { type Kysely, sql } from "kysely";
import { chainHash, GENESIS } from "./audit-chain.ts";
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
    countsOver: async ({ model, version, from, to, by }, limit) => {
      // RFC 3339 in UTC: its first 13 characters are the hour, its first 10 the day. Written into the SQL, because
      // PostgreSQL does not see that two parameters are the same expression.
      const at = sql<string>`substr(at, 1, ${sql.raw(by === "hour" ? "13" : "10")})`;
      const rows = await db
        .selectFrom("labels")
        .select(["predicted", "actual", at.as("bucket")])
        .select((eb) => eb.fn.countAll<number | string>().as("count"))
        .where("model", "=", model)
        .where("version", "=", version)
        .where("at", ">=", from)
        .where("at", "<", to)
        .groupBy([at, "predicted", "actual"])
        .orderBy(at, "desc")
        .limit(limit)
        .execute();
      return rows.map(({ bucket, count, ...row }) => ({ ...row, at: bucket, count: Number(count) }));
    },
  };
}

/** As every database gives it back: the hash is over what is stored. A device chooses words that end up in here. */
const storable = (text: string) => text.toWellFormed().replaceAll("\0", "\uFFFD");

export function eventsOn(db: Kysely<Schema>): Repositories["events"] {
  const all = db.selectFrom("events").selectAll();
  const head = async () => {
    const row = await db.selectFrom("audit_head").select(["id", "hash"]).executeTakeFirst();
    return row ?? null;
  };
  return {
    append: async (event) => {
      const { at, kind, data } = event;
      const words = {
        actor: storable(event.actor),
        subject: storable(event.subject),
        summary: storable(event.summary),
      };
      const content = { at, kind, ...words, data: JSON.stringify(data) };
      const previous_hash = (await head())?.hash ?? GENESIS;
      const hash = chainHash(previous_hash, content);
      const row = await db
        .insertInto("events")
        .values({ ...content, previous_hash, hash })
        .returningAll()
        .executeTakeFirstOrThrow();
      const { id } = row;
      await db
        .insertInto("audit_head")
        .values({ name: "head", id, hash })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ id, hash }))
        .execute();
      return toEvent(row);
    },
    chain: async (afterId, limit) => {
      const query = afterId === null ? all : all.where("id", ">", afterId);
      return query.orderBy("id").limit(limit).execute();
    },
    head,
    after: async (id, limit) => (await all.where("id", ">", id).orderBy("id").limit(limit).execute()).map(toEvent),
    newest: async (limit, beforeId, { q, kind, actor, subject, from, to } = {}) => {
      let query = beforeId === undefined ? all : all.where("id", "<", beforeId);
      if (q !== undefined && q.trim() !== "") {
        const words = `%${q
          .trim()
          .toLowerCase()
          .replaceAll(/[\\%_]/g, "\\$&")}%`;
        const has = (column: "summary" | "actor" | "subject") =>
          sql<boolean>`lower(${sql.ref(column)}) like ${words} escape '\\'`;
        query = query.where((eb) => eb.or([has("summary"), has("actor"), has("subject")]));
      }
      if (kind !== undefined) {
        const family = `${kind.replaceAll(/[\\%_]/g, "\\$&")}.%`;
        query = query.where((eb) => eb.or([eb("kind", "=", kind), sql<boolean>`kind like ${family} escape '\\'`]));
      }
      if (actor !== undefined) query = query.where("actor", "=", actor);
      if (subject !== undefined) query = query.where("subject", "=", subject);
      if (from !== undefined) query = query.where("at", ">=", from);
      if (to !== undefined) query = query.where("at", "<", to);
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
