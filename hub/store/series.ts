// Blocks of figures over time, by resolution and time first: written at the end, read by exact keys, deleted from the beginning.
import type { Kysely } from "kysely";
import type { Resolution, SeriesKind } from "@context-edge/protocol";
import type { Schema } from "./schema.ts";

export interface SeriesBlock {
  resolution: Resolution;
  /** Start of the block, milliseconds since the epoch; a whole minute. */
  atMs: number;
  subject: string;
  kind: SeriesKind;
  model: string;
  version: string;
  part: number;
  cells: string;
}

export interface SeriesFilter {
  resolution: Resolution;
  atMs: readonly number[];
  subjects: readonly string[];
  kind?: SeriesKind;
  model?: string;
  version?: string;
}

export interface SeriesRepository {
  /** A block that is there already, of the same part, is replaced. */
  put(blocks: readonly SeriesBlock[]): Promise<void>;
  read(filter: SeriesFilter): Promise<SeriesBlock[]>;
  /** Deletes about `limit` blocks that begin before `atMs`, oldest first. @returns how many. */
  deleteBefore(resolution: Resolution, atMs: number, limit: number): Promise<number>;
  /** Days before this one are rolled up. Null: nothing is yet. */
  rolledUpTo(): Promise<number | null>;
  /** Never back: the minutes of days before may be gone. */
  setRolledUpTo(atMs: number): Promise<void>;
  /** Oldest block of a resolution; null when there is none. */
  oldest(resolution: Resolution): Promise<number | null>;
}

/** Minutes last: what is written most often is then written at the end of the table. */
const NUMBER_OF: Record<Resolution, number> = { day: 0, hour: 1, minute: 2 };
const MINUTE_MS = 60_000;
/** Eight columns a row, well below the limit of bound parameters; more in one statement is felt. */
const ROWS_PER_INSERT = 300;
const KEY = ["resolution", "block", "subject", "kind", "model", "version", "part"] as const;
const WATERMARK = "rolled-up-to";

export function seriesOn(db: Kysely<Schema>): SeriesRepository {
  return {
    put: async (blocks) => {
      for (let start = 0; start < blocks.length; start += ROWS_PER_INSERT) {
        const rows = blocks.slice(start, start + ROWS_PER_INSERT).map(({ resolution, atMs, ...rest }) => ({
          ...rest,
          resolution: NUMBER_OF[resolution],
          block: atMs / MINUTE_MS,
        }));
        await db
          .insertInto("series")
          .values(rows)
          .onConflict((conflict) =>
            conflict.columns([...KEY]).doUpdateSet((eb) => ({ cells: eb.ref("excluded.cells") })),
          )
          .execute();
      }
    },
    read: async ({ resolution, atMs, subjects, kind, model, version }) => {
      if (atMs.length === 0 || subjects.length === 0) return [];
      let query = db
        .selectFrom("series")
        .selectAll()
        .where("resolution", "=", NUMBER_OF[resolution])
        .where(
          "block",
          "in",
          atMs.map((at) => at / MINUTE_MS),
        )
        .where("subject", "in", [...subjects]);
      if (kind !== undefined) query = query.where("kind", "=", kind);
      if (model !== undefined) query = query.where("model", "=", model);
      if (version !== undefined) query = query.where("version", "=", version);
      return (await query.execute()).map(({ resolution: _number, block, kind: found, ...row }) => ({
        ...row,
        resolution,
        atMs: block * MINUTE_MS,
        kind: found as SeriesKind,
      }));
    },
    deleteBefore: async (resolution, atMs, limit) => {
      const of = db
        .selectFrom("series")
        .select(["block", "subject"])
        .where("resolution", "=", NUMBER_OF[resolution])
        .where("block", "<", atMs / MINUTE_MS)
        .orderBy("block")
        .orderBy("subject");
      const last = (await of
        .offset(limit - 1)
        .limit(1)
        .executeTakeFirst()) ?? { block: atMs / MINUTE_MS, subject: "" };
      // A run from the beginning of the key; a subject whose rows are cut in two by the limit goes whole.
      const result = await db
        .deleteFrom("series")
        .where("resolution", "=", NUMBER_OF[resolution])
        .where((eb) =>
          eb.or([
            eb("block", "<", last.block),
            eb.and([eb("block", "=", last.block), eb("subject", "<=", last.subject)]),
          ]),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    rolledUpTo: async () => {
      const row = await db.selectFrom("series_state").select("value").where("name", "=", WATERMARK).executeTakeFirst();
      // A bigint comes from PostgreSQL as text.
      return row ? Number(String(row.value)) : null;
    },
    setRolledUpTo: async (value) => {
      await db
        .insertInto("series_state")
        .values({ name: WATERMARK, value })
        .onConflict((conflict) =>
          conflict.column("name").doUpdateSet({ value }).where("series_state.value", "<", value),
        )
        .execute();
    },
    oldest: async (resolution) => {
      const row = await db
        .selectFrom("series")
        .select("block")
        .where("resolution", "=", NUMBER_OF[resolution])
        .orderBy("block")
        .limit(1)
        .executeTakeFirst();
      return row ? row.block * MINUTE_MS : null;
    },
  };
}
