// Who may use a data directory at the same time: one hub, commands beside it, and whoever replaces the database all alone.
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { giveToOwnerOfItsDirectory } from "../durable.ts";

export type Use = "hub" | "command" | "alone";

export interface DataLock {
  release(): void;
}

export const LOCK_FILE = "hub.lock";

/**
 * SQLite's own locks, on an empty file of its own that nothing is ever written to, are exactly what is needed: one holder of
 * RESERVED (the hub), any number of SHARED beside it (commands), and EXCLUSIVE only when nobody else has any. They are fcntl
 * locks, so the kernel frees them however a process ends: nothing is left behind that somebody would have to judge, as with pids.
 */
const WORDING: Record<Use, string> = {
  hub: "begin immediate",
  command: "begin; select count(*) from sqlite_schema",
  alone: "begin exclusive",
};

/** Held until it is released or the process ends. @returns null when somebody else's use does not allow this one */
export async function lockData(dataDir: string, use: Use): Promise<DataLock | null> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, LOCK_FILE);
  await make(file);
  const held = new Database(file, { timeout: 0 });
  try {
    // No journal beside it: a killed holder must leave nothing that the next one would want to roll back.
    held.pragma("journal_mode = MEMORY");
    held.exec(WORDING[use]);
  } catch (error) {
    held.close();
    const isHeld = error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
    if (isHeld) return null;
    throw error;
  }
  return { release: () => void held.close() };
}

async function make(file: string): Promise<void> {
  try {
    // Only ever opened anew: closing a file lets go of every fcntl lock that this process has on it.
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return;
    throw error;
  }
  await giveToOwnerOfItsDirectory(file);
}

/** @returns who stands in the way of being alone, for words */
export async function whoUses(dataDir: string): Promise<"A hub" | "Another command"> {
  const asHub = await lockData(dataDir, "hub");
  asHub?.release();
  return asHub ? "Another command" : "A hub";
}
