// Which store the settings mean: PostgreSQL where DATABASE_URL is set, else the embedded one.
import { join } from "node:path";
import type { HubConfig } from "../config.ts";
import type { Store } from "./store.ts";

/** Each driver is loaded only where it is used. */
export async function openStore({ databaseUrl, dataDir }: HubConfig): Promise<Store> {
  if (databaseUrl !== undefined) return (await import("./postgres.ts")).openPostgres(databaseUrl);
  return (await import("./sqlite.ts")).openSqlite(join(dataDir, "hub.sqlite"));
}
