// `hub backup FILE`: a whole copy of the database while the hub goes on; artifacts and keys are files and are copied as such.
import { existsSync } from "node:fs";
import { link, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { randomUUID } from "node:crypto";
import { syncDirectory } from "../durable.ts";
import { databaseFile, lockAsCommand, requireDatabase } from "../store/data-directory.ts";
import { outageOf } from "../store/outage.ts";
import { copySqlite, damageOf, isDamage } from "../store/sqlite-copy.ts";
import { readSqlite } from "../store/sqlite-reading.ts";
import { type Command, EXIT, type Invocation } from "./command.ts";
import { readWords } from "./words.ts";

const PROGRESS_EVERY_MS = 2_000;

export const backup: Command = async (invocation) => {
  const { config, words, fail } = invocation;
  const read = readWords(words, [], ["overwrite"]);
  const [file, ...rest] = read?.plain ?? [];
  if (!read || file === undefined || rest.length > 0) {
    fail("Say where to: hub backup FILE [--overwrite]");
    return EXIT.usage;
  }
  if (config.databaseUrl !== undefined) {
    fail("This hub keeps its data in PostgreSQL: back that up with pg_dump (docs/scaling.md), not with this command.");
    return EXIT.wrong;
  }
  const directory = await realpath(dirname(resolve(file))).catch(() => null);
  if (directory === null) {
    fail(`There is no directory ${dirname(resolve(file))}. Make it first, readable for the hub's user alone.`);
    return EXIT.wrong;
  }
  const target = join(directory, basename(file));
  const mayOverwrite = read.switches.has("overwrite");
  if (existsSync(target) && !mayOverwrite) {
    fail(`${target} is there already. Name another file, or say --overwrite.`);
    return EXIT.wrong;
  }
  requireDatabase(config.dataDir);
  const source = databaseFile(await realpath(config.dataDir));
  if (target.startsWith(source)) {
    fail(`${target} is a name of the database itself. Name another file, on another disk if you can.`);
    return EXIT.wrong;
  }
  const lock = await lockAsCommand(config.dataDir);
  // Under its name only when it is whole: half a backup must never be taken for one.
  const making = `${target}.making-${randomUUID().slice(0, 8)}`;
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interruption.abort());
  try {
    return await copy(source, { making, target, mayOverwrite }, invocation, interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) {
      fail("Interrupted: there is no backup.");
      return EXIT.wrong;
    }
    if (isDamage(error)) return tellDamage(error.message, fail);
    if (outageOf(error) !== "full") throw error;
    fail(`The disk of ${directory} is full. There is no backup; nothing else was changed.`);
    return EXIT.wrong;
  } finally {
    await rm(making, { force: true });
    await rm(`${making}-journal`, { force: true });
    lock.release();
  }
};

interface Naming {
  making: string;
  target: string;
  mayOverwrite: boolean;
}

async function copy(
  source: string,
  naming: Naming,
  { config, say, fail }: Invocation,
  interruption: AbortSignal,
): Promise<number> {
  const { making, target } = naming;
  let toldMs = performance.now();
  await copySqlite(source, making, (done) => {
    interruption.throwIfAborted();
    if (performance.now() - toldMs < PROGRESS_EVERY_MS) return;
    toldMs = performance.now();
    fail(`${Math.floor(done * 100)} % copied`);
  });
  const damage = damageOf(making);
  interruption.throwIfAborted();
  if (damage !== null) return tellDamage(damage, fail);
  const copied = await readSqlite(making);
  await copied.close();
  if (!(await putUnderName(naming))) {
    fail(`${target} has appeared meanwhile and was left alone. Name another file.`);
    return EXIT.wrong;
  }
  await syncDirectory(dirname(target));
  say(`${target} holds the database, whole and on the disk.`);
  const { schema } = copied;
  if (schema.kind === "older") say(`It is of an older release than this one (${schema.newest}), copied as it is.`);
  if (schema.kind === "newer")
    say(`It is of a newer release than this one (${schema.unknown.join(", ")}), copied as it is.`);
  say(`Copy ${config.s3 ? "the buckets" : join(config.dataDir, "artifacts")} and ${config.signingKeyFile} as well.`);
  return EXIT.done;
}

function tellDamage(damage: string, fail: Invocation["fail"]): number {
  fail(`The hub's database is damaged, and so would be its copy: ${damage}. There is no backup.`);
  fail("Keep the backups you have, look at the disk, and restore the newest one (docs/scaling.md).");
  return EXIT.wrong;
}

/** @returns false when a file of that name has appeared that nobody said may be overwritten */
async function putUnderName({ making, target, mayOverwrite }: Naming): Promise<boolean> {
  if (mayOverwrite) {
    await rename(making, target);
    return true;
  }
  try {
    // link(2) never replaces, rename(2) always does.
    await link(making, target);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw error;
    // FAT and some network filesystems have no links.
    if (existsSync(target)) return false;
    await rename(making, target);
    return true;
  }
}
