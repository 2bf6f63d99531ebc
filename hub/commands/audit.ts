// `hub audit verify`, `hub audit head` and `hub audit export`: is the history whole, what proves it later, and the history as JSON lines.
import type { ChainVerdict } from "../store/audit-chain.ts";
import { allEvents, requireHistory, verifyHistory } from "../store/audit-walk.ts";
import { openToRead } from "../store/open.ts";
import type { Reading } from "../store/reading.ts";
import { type Command, EXIT, type Invocation } from "./command.ts";
import { readWords } from "./words.ts";

const USAGE = `Say: audit verify [--head HASH]    HASH is a head that was written down before
     audit head | audit export`;
const HASH = /^[0-9a-f]{64}$/;

type Action = (reading: Reading, invocation: Invocation) => Promise<number>;

export const audit: Command = async (invocation) => {
  const action = actionOf(invocation.words);
  if (!action) {
    invocation.fail(USAGE);
    return EXIT.usage;
  }
  const reading = await openToRead(invocation.config);
  try {
    return await action(reading, invocation);
  } finally {
    await reading.close();
  }
};

function actionOf(words: readonly string[]): Action | null {
  const read = readWords(words, ["head"]);
  const [what, ...rest] = read?.plain ?? [];
  const known = read?.flags["head"];
  if (rest.length > 0 || (known !== undefined && (what !== "verify" || !HASH.test(known)))) return null;
  if (what === "verify") return (reading, invocation) => verify(reading, invocation, known);
  if (what === "head") return head;
  return what === "export" ? exportLines : null;
}

async function verify(reading: Reading, { say, fail }: Invocation, known: string | undefined): Promise<number> {
  const verdict = await verifyHistory(reading, known);
  if (!verdict.ok) {
    fail(`The audit is not whole: ${wordsOf(verdict)}.`);
    return EXIT.wrong;
  }
  if (verdict.events === 0) {
    say("The audit is empty, and nothing in the database says that anything ever happened.");
    return EXIT.done;
  }
  say(`The audit is whole: ${verdict.events} events. Head ${verdict.head}`);
  if (verdict.known === null)
    say(
      "Whoever can write the database can make a new chain. Write the head down elsewhere and give it to --head later.",
    );
  else say(`Everything up to event ${verdict.known} is what it was when that head was written down.`);
  return EXIT.done;
}

export const wordsOf = ({ at, why }: Extract<ChainVerdict, { ok: false }>) =>
  at === null ? why : `event ${at}: ${why}`;

/** The hash alone goes to stdout, so that it can be kept in a file or given to another machine. */
async function head(reading: Reading, { say, fail }: Invocation): Promise<number> {
  requireHistory(reading.schema);
  const newest = await reading.history(({ events }) => events.head());
  if (!newest) {
    fail("There is no event yet, or what the hub remembers as its newest is gone: see `hub audit verify`.");
    return EXIT.wrong;
  }
  fail(`Event ${newest.id}. Keep this where whoever can write the database cannot:`);
  say(newest.hash);
  return EXIT.done;
}

async function exportLines(reading: Reading, { say }: Invocation): Promise<number> {
  requireHistory(reading.schema);
  await reading.history(async (reads) => {
    for await (const { data, ...event } of allEvents(reads)) say(JSON.stringify({ ...event, data: JSON.parse(data) }));
  });
  return EXIT.done;
}
