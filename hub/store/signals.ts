// Word to the other replicas, sent inside a transaction: PostgreSQL delivers it exactly when that commits, and not when it fails.
import { type Kysely, sql } from "kysely";
import { isPostgres } from "./postgres-dialect.ts";
import type { Schema } from "./schema.ts";
import type { Repositories } from "./store.ts";

export const CHANNEL = "context_edge";

/** On SQLite there is nobody else to tell. */
export function signalsOn(db: Kysely<Schema>): Repositories["signals"] {
  if (!isPostgres(db)) return { send: () => Promise.resolve() };
  return {
    send: async (payload) => {
      await sql`select pg_notify(${CHANNEL}, ${payload})`.execute(db);
    },
  };
}
