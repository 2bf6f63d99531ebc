// A database that is only looked at: nothing is migrated and nothing can be written, whatever release it is of.
import { type Kysely, sql, SqliteAdapter } from "kysely";
import { eventsOn } from "./ledgers.ts";
import type { Schema } from "./schema.ts";
import { schemaOf, type SchemaState } from "./schema-state.ts";
import type { Repositories } from "./store.ts";

/** The history, and what else tells whether there must have been one. */
export interface HistoryReads {
  events: Pick<Repositories["events"], "chain" | "head">;
  /** What a hub cannot have without having written history, such as "3 versions". Empty where nothing ever happened. */
  traces(): Promise<string[]>;
  /** The number of the first event of all, where the database gives numbers without gaps. */
  firstId: 1 | null;
}

export interface Reading {
  schema: SchemaState;
  /** All of `work` sees one moment: what a hub writes meanwhile is not there. */
  history<T>(work: (reads: HistoryReads) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param db on a connection that cannot write; closed when it cannot be read */
export async function readingOn(db: Kysely<Schema>): Promise<Reading> {
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter;
  try {
    return {
      schema: await schemaOf(db),
      history: (work) => {
        // A transaction of SQLite sees one moment by itself, and its dialect takes no level.
        const transaction = isSqlite ? db.transaction() : db.transaction().setIsolationLevel("repeatable read");
        return transaction.execute((trx) =>
          work({ events: eventsOn(trx), traces: () => tracesOn(trx, isSqlite), firstId: isSqlite ? 1 : null }),
        );
      },
      close: () => db.destroy(),
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function tracesOn(db: Kysely<Schema>, isSqlite: boolean): Promise<string[]> {
  const found: string[] = [];
  // Those of the first schema: they are there whatever release the database is of.
  for (const table of ["versions", "devices", "deployments"] as const) {
    const query = db.selectFrom(table).select((eb) => eb.fn.countAll<number | string>().as("count"));
    const count = Number((await query.executeTakeFirst())?.count ?? 0);
    if (count > 0) found.push(`${table}: ${count}`);
  }
  if (!isSqlite) return found;
  // The highest number ever given, taken back with its row. A sequence of PostgreSQL is not, so it would prove nothing.
  const { rows } = await sql<{ seq: number }>`select seq from sqlite_sequence where name = 'events'`.execute(db);
  const given = rows[0]?.seq ?? 0;
  return given > 0 ? [...found, `numbers given to events: ${given}`] : found;
}
