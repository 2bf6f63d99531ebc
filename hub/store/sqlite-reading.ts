// A SQLite database that is only looked at, beside a hub or without one.
import Database from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";
import { type Reading, readingOn } from "./reading.ts";
import type { Schema } from "./schema.ts";

/** Reading waits only while somebody takes a killed hub's WAL in. */
const BUSY_TIMEOUT_MS = 5_000;

export async function readSqlite(file: string): Promise<Reading> {
  const database = new Database(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  return readingOn(new Kysely<Schema>({ dialect: new SqliteDialect({ database }) }));
}
