// The doors to the store, on the database that the settings mean: PostgreSQL where DATABASE_URL is set, else the embedded one.
import { join } from "node:path";
import type { HubConfig } from "../config.ts";
import type { Reading } from "./reading.ts";
import type { Store } from "./store.ts";

type Where = Pick<HubConfig, "databaseUrl" | "dataDir">;
export const sqliteFileOf = ({ dataDir }: Pick<Where, "dataDir">): string => join(dataDir, "hub.sqlite");

/** Each driver is loaded only where it is used. */
const postgres = () => import("./postgres.ts");
const directory = () => import("./data-directory.ts");

/** For the hub: brings the schema up to date. @throws StoreRefusal */
export async function openStore({ databaseUrl, dataDir }: Where): Promise<Store> {
  if (databaseUrl !== undefined) return (await postgres()).openPostgres(databaseUrl);
  return (await directory()).openAsHub(dataDir);
}

/**
 * For a command that changes something, also while a hub runs. It never migrates what is there: a newer release's command
 * beside an older hub would break that hub, and take away the way back. An empty database is given its schema.
 * @throws StoreRefusal
 */
export async function openBeside({ databaseUrl, dataDir }: Where): Promise<Store> {
  if (databaseUrl !== undefined) return (await postgres()).openPostgresBeside(databaseUrl);
  return (await directory()).openAsCommand(dataDir);
}

/** For a command that only looks: nothing is migrated, nothing can be written. @throws StoreRefusal */
export async function openToRead({ databaseUrl, dataDir }: Where): Promise<Reading> {
  if (databaseUrl !== undefined) return (await import("./postgres-reading.ts")).readPostgres(databaseUrl);
  return (await directory()).readAsCommand(dataDir);
}
