// Replaces the database by a copy of another one so that, however it is interrupted, the old one or the new one is there whole.
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { giveToOwnerOfItsDirectory, syncDirectory, syncFile } from "../durable.ts";
import { makeOneFile } from "./sqlite-copy.ts";

/*
 * The database is up to three files, and three names cannot be changed at one instant. A WAL that stays behind is written into the
 * database put beside it; one that is taken away first takes acknowledged changes with it. So the decision is one rename: from
 * `.restoring` (a copy, not checked yet, may be thrown away) to `.restored-TIME` (checked, on the disk, will be the database).
 * What follows can be repeated: whoever finds a `.restored-TIME` goes on where it ended, and no hub opens a database beside one.
 */
const WAL_FILES = ["-wal", "-shm"];

const restoring = (database: string) => `${database}.restoring`;
const isStaged = (database: string) => (name: string) => name.startsWith(`${basename(database)}.restored-`);

export type Copied = { ok: true; copy: string } | { ok: false; reason: string };

/**
 * A copy of a database file, with its WAL if there is one, beside the database it is to replace. Nothing is written beside the
 * original, which may lie where nothing can be written.
 */
export async function copyBeside(original: string, database: string): Promise<Copied> {
  const copy = restoring(database);
  await discardCopy(database);
  const before = await stampOf(original);
  await copyFile(original, copy);
  if (existsSync(`${original}-wal`)) await copyFile(`${original}-wal`, `${copy}-wal`);
  if ((await stampOf(original)) !== before) {
    await discardCopy(database);
    return {
      ok: false,
      reason: `${original} is being written. Make a copy of it with \`hub backup\` and restore that.`,
    };
  }
  makeOneFile(copy);
  return { ok: true, copy };
}

export async function discardCopy(database: string): Promise<void> {
  const copy = restoring(database);
  for (const part of ["", ...WAL_FILES, "-journal"]) await rm(`${copy}${part}`, { force: true });
}

/** From here on the copy is the database. @param time for the names of files; @returns where the old database is now, if there was one */
export async function replaceByCopy(database: string, time: string): Promise<string | null> {
  const copy = restoring(database);
  await giveToOwnerOfItsDirectory(copy);
  await syncFile(copy);
  await rename(copy, `${database}.restored-${time}`);
  await syncDirectory(dirname(database));
  return finishRestore(database);
}

export async function unfinishedRestore(database: string): Promise<string | null> {
  const names = await readdir(dirname(database));
  return names.find(isStaged(database)) ?? null;
}

/** Goes on where a killed restore ended: completes what was decided, forgets what was not. @returns where the old database is now, if there was one */
export async function finishRestore(database: string): Promise<string | null> {
  await discardCopy(database);
  const staged = await unfinishedRestore(database);
  if (staged === null) return null;
  const dir = dirname(database);
  const aside = join(dir, staged.replace(".restored-", ".replaced-"));
  for (const part of ["", ...WAL_FILES]) await moveAside(`${database}${part}`, `${aside}${part}`);
  // The new name must not reach the disk before the old ones have left it.
  await syncDirectory(dir);
  await rename(join(dir, staged), database);
  await syncDirectory(dir);
  return existsSync(aside) ? aside : null;
}

async function moveAside(file: string, aside: string): Promise<void> {
  if (!existsSync(file)) return;
  if (existsSync(aside))
    throw new Error(`${file} and ${aside} are both there: move one of them away, then start again`);
  await rename(file, aside);
}

const copyFile = (from: string, to: string): Promise<void> =>
  pipeline(
    createReadStream(from, { highWaterMark: 1 << 20 }),
    createWriteStream(to, { flags: "wx", mode: 0o600, highWaterMark: 1 << 20 }),
  );

/** Changes when the database is written. */
async function stampOf(file: string): Promise<string> {
  const stamps = [];
  for (const name of [file, `${file}-wal`]) {
    if (!existsSync(name)) continue;
    const { size, mtimeNs } = await stat(name, { bigint: true });
    stamps.push(`${size}@${mtimeNs}`);
  }
  return stamps.join();
}
