// `hub audit verify` and `hub audit export`: is the history whole, and the history as JSON lines.
import { chainChecker, type ChainedEvent } from "../store/audit-chain.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { type Command, EXIT } from "./command.ts";

const PAGE = 1_000;

export const audit: Command = async ({ config, words, say, fail }) => {
  const [what, ...rest] = words;
  if ((what !== "verify" && what !== "export") || rest.length > 0) {
    fail('Say "hub audit verify" or "hub audit export".');
    return EXIT.usage;
  }
  const store = await openStore(config);
  try {
    return what === "verify" ? await verify(store, say, fail) : await exportLines(store, say);
  } finally {
    await store.close();
  }
};

async function verify(store: Store, say: (line: string) => void, fail: (line: string) => void) {
  const checker = chainChecker();
  // Read first: whatever is appended meanwhile comes after it.
  const head = await store.events.head();
  for await (const event of eventsOf(store)) {
    if (event.id <= (head?.id ?? 0)) checker.next(event);
  }
  const verdict = checker.verdict(head);
  if (verdict.ok) {
    say(`The audit is whole: ${verdict.events} events. Head ${verdict.head}`);
    say("Write the head down elsewhere: a history that was replaced as a whole can only be found out by it.");
    return EXIT.done;
  }
  fail(`The audit is not whole: event ${verdict.at}: ${verdict.why}.`);
  return EXIT.wrong;
}

async function exportLines(store: Store, say: (line: string) => void) {
  for await (const { data, ...event } of eventsOf(store)) say(JSON.stringify({ ...event, data: JSON.parse(data) }));
  return EXIT.done;
}

async function* eventsOf(store: Store): AsyncGenerator<ChainedEvent> {
  let after = 0;
  for (;;) {
    const page = await store.events.chain(after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = last.id;
  }
}
