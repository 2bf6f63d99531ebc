// A PostgreSQL database that is only looked at, beside the hubs that write it: one connection, which the server keeps from writing.
import pg from "pg";
import { kyselyOn, TYPES } from "./postgres-dialect.ts";
import { type Reading, readingOn } from "./reading.ts";

const CONNECT_TIMEOUT_MS = 3_000;

export async function readPostgres(url: string): Promise<Reading> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    types: TYPES,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    options: "-c default_transaction_read_only=on",
    application_name: "context-edge reader",
  });
  pool.on("error", () => undefined);
  pool.on("connect", (client) => void client.on("error", () => undefined));
  return readingOn(kyselyOn(pool));
}
