// The embedded database in its directory: opened only by whoever may use it now, and closed before the lock is let go.
import { existsSync } from "node:fs";
import { sqliteFileOf } from "./open.ts";
import { type DataLock, lockData, whoUses } from "./data-lock.ts";
import type { Reading } from "./reading.ts";
import { StoreRefusal } from "./refusal.ts";
import { finishRestore, unfinishedRestore } from "./restoration.ts";
import { openSqlite, openSqliteBeside } from "./sqlite.ts";
import { readSqlite } from "./sqlite-reading.ts";
import type { Store } from "./store.ts";

export const databaseFile = (dataDir: string) => sqliteFileOf({ dataDir });

/** The only hub on the directory for as long as it is open. Completes a restore that was interrupted, and migrates. */
export async function openAsHub(dataDir: string): Promise<Store> {
  const lock = await lockData(dataDir, "hub");
  if (!lock) {
    throw new StoreRefusal(
      "IN_USE",
      `A hub works on ${dataDir} already, or its database is being replaced.`,
      "Stop it first, or set another HUB_DATA: hubs that share their data need PostgreSQL (docs/scaling.md).",
    );
  }
  return closingWith(lock, async () => {
    await finishRestore(databaseFile(dataDir));
    return openSqlite(databaseFile(dataDir));
  });
}

export async function openAsCommand(dataDir: string): Promise<Store> {
  return closingWith(await lockAsCommand(dataDir), () => openSqliteBeside(databaseFile(dataDir)));
}

export async function readAsCommand(dataDir: string): Promise<Reading> {
  requireDatabase(dataDir);
  return closingWith(await lockAsCommand(dataDir), () => readSqlite(databaseFile(dataDir)));
}

/** A look must not make a directory where there is none. */
export function requireDatabase(dataDir: string): void {
  const file = databaseFile(dataDir);
  if (existsSync(file)) return;
  throw new StoreRefusal("NOT_THERE", `There is no database at ${file}.`, "Is HUB_DATA the hub's?");
}

/** Beside a hub, but never while the database is being replaced, nor half-way through that. */
export async function lockAsCommand(dataDir: string): Promise<DataLock> {
  const lock = await lockData(dataDir, "command");
  if (!lock) {
    throw new StoreRefusal("IN_USE", `The database in ${dataDir} is being replaced.`, "Try again when that is done.");
  }
  if ((await unfinishedRestore(databaseFile(dataDir))) === null) return lock;
  lock.release();
  throw new StoreRefusal(
    "RESTORE_UNFINISHED",
    `A restore into ${dataDir} was interrupted and is not complete.`,
    "Start the hub, which completes it, or run `hub restore` again.",
  );
}

/** For what replaces or migrates the database. */
export async function lockAlone(dataDir: string): Promise<DataLock> {
  const lock = await lockData(dataDir, "alone");
  if (lock) return lock;
  const who = await whoUses(dataDir);
  throw new StoreRefusal("IN_USE", `${who} works on ${dataDir}.`, "Stop it first. Nothing was changed.");
}

async function closingWith<T extends { close(): Promise<void> }>(lock: DataLock, open: () => Promise<T>): Promise<T> {
  try {
    const opened = await open();
    return {
      ...opened,
      close: async () => {
        await opened.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
