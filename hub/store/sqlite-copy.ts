// A copy of a SQLite database as it is at one moment, while others go on writing; and whether a file is a whole database.
import { closeSync, openSync } from "node:fs";
import Database from "better-sqlite3";
import { syncFile } from "../durable.ts";

/** 16 MB: one breath of the loop, for progress and for a signal. */
const PAGES_AT_ONCE = 4_096;
const BUSY_TIMEOUT_MS = 5_000;

/**
 * SQLite's online backup begins anew whenever another process has written between two of its steps, and so never ends beside a
 * busy hub. A read transaction on the same connection, open from before the first step, keeps it at one moment: nothing begins
 * anew, and in WAL mode it holds up no writer. Its price is that the WAL cannot be emptied meanwhile and grows by what is written.
 *
 * Not VACUUM INTO: it holds the same transaction for longer (it builds every index anew), cannot tell how far it is, and makes a
 * sound copy of a database whose indexes are damaged, which nobody would then hear of.
 *
 * @param target must not be there; it is made readable for its owner alone, is one file without a WAL, and is on the disk
 * @param onProgress share done, 0 to 1
 * @throws SQLite's error; the target is then not usable, and is the caller's to remove
 */
export async function copySqlite(
  source: string,
  target: string,
  onProgress: (done: number) => void = () => undefined,
): Promise<void> {
  closeSync(openSync(target, "wx", 0o600));
  const from = new Database(source, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    // The transaction begins with its first read, not with its name.
    from.exec("begin; select count(*) from sqlite_schema");
    await from.backup(target, {
      progress: ({ totalPages, remainingPages }) => {
        onProgress(totalPages === 0 ? 0 : 1 - remainingPages / totalPages);
        return PAGES_AT_ONCE;
      },
    });
  } finally {
    from.close();
  }
  makeOneFile(target);
  await syncFile(target);
}

/** Takes the file's own WAL into it and leaves WAL mode, so that it can be copied, and read where nothing can be written. */
export function makeOneFile(file: string): void {
  const db = new Database(file, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    db.pragma("journal_mode = DELETE");
  } finally {
    db.close();
  }
}

/** @returns what SQLite found wrong with it, in its words; null when it is whole. Reads all of it. */
export function damageOf(file: string): string | null {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  try {
    const found = db.pragma("integrity_check(3)") as { integrity_check: string }[];
    const words = found.map(({ integrity_check }) => integrity_check).join("; ");
    return words === "ok" ? null : words;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return error.message;
  } finally {
    db.close();
  }
}

/** SQLite's word for a file that is no database, or not a whole one any more. */
export const isDamage = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && /^SQLITE_(NOTADB|CORRUPT)/.test(String(error.code));
