// Which store the settings mean: PostgreSQL where DATABASE_URL is set, else the embedded one.
import { join } from "node:path";
import type { HubConfig } from "../config.ts";
import type { Store } from "./store.ts";

export const sqliteFileOf = ({ dataDir }: Pick<HubConfig, "dataDir">): string => join(dataDir, "hub.sqlite");

/** Each driver is loaded only where it is used. */
export async function openStore(config: HubConfig): Promise<Store> {
  if (config.databaseUrl !== undefined) return (await import("./postgres.ts")).openPostgres(config.databaseUrl);
  return (await import("./sqlite.ts")).openSqlite(sqliteFileOf(config));
}
