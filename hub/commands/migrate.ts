// `hub migrate`: brings the schema to this release's before the hub starts; with --check it only says what that would do.
import { openStore, openToRead } from "../store/open.ts";
import { newerRelease, type SchemaState } from "../store/schema-state.ts";
import { type Command, EXIT } from "./command.ts";
import { readWords } from "./words.ts";

export const migrate: Command = async ({ config, words, say, fail }) => {
  const read = readWords(words, [], ["check"]);
  if (!read || read.plain.length > 0) {
    fail("Say: hub migrate [--check]");
    return EXIT.usage;
  }
  const reading = await openToRead(config);
  const { schema } = reading;
  await reading.close();
  if (schema.kind === "newer") throw newerRelease(schema.unknown);
  if (schema.kind === "current") {
    say(`The schema is this release's (${schema.newest}).`);
    return EXIT.done;
  }
  if (read.switches.has("check")) {
    say(`The schema is not this release's. To be done: ${dueOf(schema)}.`);
    say("There is no way back but a backup: make one first. A hub that starts does the same.");
    return EXIT.wrong;
  }
  const store = await openStore(config);
  await store.close();
  say(`Done: ${dueOf(schema)}. The schema is this release's.`);
  return EXIT.done;
};

const dueOf = (schema: Exclude<SchemaState, { kind: "newer" | "current" }>) =>
  schema.kind === "older" ? schema.due.join(", ") : "everything, the database is empty";
