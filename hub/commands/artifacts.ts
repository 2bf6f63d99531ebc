// `hub artifacts gc [--dry-run]`: removes files that nothing refers to, or lists what would go, beside a running hub or without one.
import { openArtifacts } from "../artifacts/open.ts";
import { megabytes } from "../core/say.ts";
import { ProblemError } from "../problem-error.ts";
import { findUnused, sum, sweep } from "../sweep.ts";
import type { Condemned } from "../store/files.ts";
import { type Command, EXIT } from "./command.ts";
import { atStore, readWords, table } from "./words.ts";

const USAGE = "Say: artifacts gc [--dry-run]";
const DAY_MS = 86_400_000;

export const artifacts: Command = async (invocation) => {
  const { config, words, say, fail } = invocation;
  const read = readWords(words, [], ["dry-run"]);
  const [what, ...rest] = read?.plain ?? [];
  if (!read || what !== "gc" || rest.length > 0) {
    fail(USAGE);
    return EXIT.usage;
  }
  const days = config.keep.unusedDays;
  if (days === 0) {
    fail("HUB_KEEP_UNUSED_DAYS is 0: files are kept for ever. Set it to the days that an unused file is kept.");
    return EXIT.usage;
  }
  const isDry = read.switches.has("dry-run");
  return atStore(invocation, async ({ store, change }) => {
    const place = (await openArtifacts(config, store)).artifacts;
    const away = await place.reach().then(
      () => null,
      (error: unknown) => error,
    );
    if (away instanceof ProblemError) throw away;
    if (away !== null) {
      fail(`Nothing was changed: ${away instanceof Error ? away.message : "the files cannot be reached"}. Try again.`);
      return EXIT.wrong;
    }
    const ports = { store, artifacts: place, change, limitMs: Date.now() - days * DAY_MS };
    const files: Condemned[] = [];
    if (isDry) files.push(...(await findUnused(ports)));
    else for await (const removed of sweep(ports)) files.push(...removed);
    const rows = files.map(({ digest, size_bytes, why }) => [digest, megabytes(size_bytes), why]);
    for (const line of table(rows)) say(line);
    const verb = isDry ? "would be removed" : "removed";
    say(`${files.length === 1 ? "One file" : `${files.length} files`} ${verb}, ${megabytes(sum(files))}.`);
    return EXIT.done;
  });
};
