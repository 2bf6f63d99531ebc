// `hub backup FILE`: a whole copy of the database while the hub goes on; artifacts and keys are files and are copied as such.
import { rename, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { openSqlite } from "../store/sqlite.ts";
import { type Command, EXIT } from "./command.ts";

export const backup: Command = async ({ config, words, say, fail }) => {
  const [file] = words;
  if (file === undefined || words.length > 1) {
    fail("Say where to: hub backup FILE");
    return EXIT.usage;
  }
  if (config.databaseUrl !== undefined) {
    fail("This hub keeps its data in PostgreSQL: back that up with pg_dump (docs/scaling.md), not with this command.");
    return EXIT.wrong;
  }
  const target = resolve(file);
  if (existsSync(target)) {
    fail(`${target} is there already. Name another file, or move it away.`);
    return EXIT.wrong;
  }
  const source = join(config.dataDir, "hub.sqlite");
  if (!existsSync(source)) {
    fail(`There is no database at ${source}. Is HUB_DATA the hub's?`);
    return EXIT.wrong;
  }
  const store = await openSqlite(source);
  // Under its name only when it is whole: half a backup must never be taken for one.
  const making = `${target}.making`;
  try {
    await store.backup(making);
    await rename(making, target);
  } finally {
    await store.close();
    await rm(making, { force: true });
  }
  say(`${target} holds the database. Copy ${join(config.dataDir, "artifacts")} and the signing key as well.`);
  return EXIT.done;
};
