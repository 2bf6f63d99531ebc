// `hub restore FILE`: checks a backup and puts it in place of the database of a hub that is stopped; what was there is kept aside.
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { outageOf } from "../store/outage.ts";
import { databaseFile, lockAlone } from "../store/data-directory.ts";
import { verifyHistory } from "../store/audit-walk.ts";
import { newerRelease } from "../store/schema-state.ts";
import { copyBeside, discardCopy, finishRestore, replaceByCopy } from "../store/restoration.ts";
import { damageOf, isDamage } from "../store/sqlite-copy.ts";
import { readSqlite } from "../store/sqlite-reading.ts";
import { wordsOf } from "./audit.ts";
import { type Command, EXIT, type Invocation } from "./command.ts";
import { readWords, type Words } from "./words.ts";

const USAGE = "Say which backup: hub restore FILE [--head HASH] [--with-broken-history]";
const ANYWAY = "with-broken-history";

export const restore: Command = async (invocation) => {
  const { config, words, fail } = invocation;
  const read = readWords(words, ["head"], [ANYWAY]);
  const [file, ...rest] = read?.plain ?? [];
  if (!read || file === undefined || rest.length > 0) {
    fail(USAGE);
    return EXIT.usage;
  }
  if (config.databaseUrl !== undefined) {
    fail("This hub keeps its data in PostgreSQL: restore with pg_restore into an empty database (docs/scaling.md).");
    return EXIT.wrong;
  }
  const original = resolve(file);
  const found = statSync(original, { throwIfNoEntry: false });
  const database = databaseFile(config.dataDir);
  const present = statSync(database, { throwIfNoEntry: false });
  if (!found?.isFile()) {
    fail(`There is no file ${original}.`);
    return EXIT.wrong;
  }
  if ((found.ino === present?.ino && found.dev === present.dev) || original.startsWith(`${database}.restor`)) {
    fail(`${original} is the database itself. Name a backup.`);
    return EXIT.wrong;
  }
  const lock = await lockAlone(config.dataDir);
  try {
    await finishRestore(database);
    return await restoreFrom(original, database, read, invocation);
  } catch (error) {
    if (outageOf(error) !== "full") throw error;
    fail(`The disk of ${config.dataDir} is full: it must hold the old database and the new one. Nothing was changed.`);
    return EXIT.wrong;
  } finally {
    await discardCopy(database);
    lock.release();
  }
};

async function restoreFrom(original: string, database: string, words: Words, invocation: Invocation): Promise<number> {
  const { say, fail } = invocation;
  say(`Copying ${original} and checking the copy.`);
  const checked = await checkCopy(original, database, words);
  if (!checked.ok) {
    fail(`${checked.reason} Nothing was changed.`);
    return EXIT.wrong;
  }
  const time = new Date().toISOString().replaceAll(/[-:.]/g, "");
  const aside = await replaceByCopy(database, time);
  say(`${database} is that copy now. ${checked.report}`);
  if (aside === null) say("There was no database before.");
  else say(`What was there is kept as ${aside}, with its -wal if it had one. Delete it when nobody needs it any more.`);
  tellTheRest(invocation);
  return EXIT.done;
}

type Checked = { ok: true; report: string } | { ok: false; reason: string };

/** The bytes that are checked are the ones that will be put in place. */
async function checkCopy(original: string, database: string, words: Words): Promise<Checked> {
  try {
    const copied = await copyBeside(original, database);
    if (!copied.ok) return copied;
    const damage = damageOf(copied.copy);
    if (damage !== null) return { ok: false, reason: `${original} is damaged: ${damage}.` };
    return await checkContent(original, copied.copy, words);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { ok: false, reason: `${original} is no whole SQLite database (${error.message}).` };
  }
}

async function checkContent(original: string, copy: string, { flags, switches }: Words): Promise<Checked> {
  const reading = await readSqlite(copy);
  try {
    const { schema } = reading;
    if (schema.kind === "none") return { ok: false, reason: `${original} is not the database of a hub.` };
    if (schema.kind === "newer") {
      const { message, nextStep } = newerRelease(schema.unknown);
      return { ok: false, reason: `${message} ${nextStep}` };
    }
    const later = schema.kind === "older" ? " It is of an older release: the hub migrates it when it starts." : "";
    const verdict = await verifyHistory(reading, flags["head"]);
    if (verdict.ok) {
      const ends =
        verdict.events === 0
          ? "It has no history yet."
          : `Its history is whole: ${verdict.events} events. Head ${verdict.head}`;
      return { ok: true, report: `${ends}${later}` };
    }
    const broken = `Its history is not whole: ${wordsOf(verdict)}.`;
    if (switches.has(ANYWAY)) return { ok: true, report: `${broken}${later}` };
    return { ok: false, reason: `${broken} Take another backup, or say --${ANYWAY} if there is none.` };
  } finally {
    await reading.close();
  }
}

function tellTheRest({ config, say }: Invocation): void {
  const stateOf = (path: string) => (existsSync(path) ? "is there" : "is NOT there");
  const artifacts = join(config.dataDir, "artifacts");
  say("Beside it belong, as they were when the backup was made or later:");
  if (config.s3) say(`  the artifacts, in the bucket ${config.s3.buckets.join(", ")}`);
  else say(`  the artifacts: ${artifacts} ${stateOf(artifacts)}`);
  say(`  the signing key: ${config.signingKeyFile} ${stateOf(config.signingKeyFile)}`);
  say(
    "Devices decommissioned, tokens revoked, people disabled and passwords changed after the backup are again as they were",
  );
  say('in it. Before anybody reaches this hub, read "Restoring a backup" in docs/scaling.md.');
}
