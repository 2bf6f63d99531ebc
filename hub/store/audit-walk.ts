// Follows the whole history of a database at one moment: is it what the hub wrote, and is it what somebody wrote down of it.
import { chainChecker, type ChainedEvent, type ChainVerdict } from "./audit-chain.ts";
import type { HistoryReads, Reading } from "./reading.ts";
import { StoreRefusal } from "./refusal.ts";
import { newerRelease, type SchemaState } from "./schema-state.ts";

const PAGE = 1_000;
/** The migration that made the chain. */
const CHAINED_SINCE = "0003-audit-chain";

/** @throws StoreRefusal when there is no chain to follow, or it may mean something that this release does not know */
export function requireHistory(schema: SchemaState): void {
  if (schema.kind === "newer") throw newerRelease(schema.unknown);
  const isTooOld = schema.kind === "none" || (schema.kind === "older" && schema.due.includes(CHAINED_SINCE));
  if (!isTooOld) return;
  throw new StoreRefusal(
    "SCHEMA_UNREADABLE",
    "The database has no history with a hash chain: it is empty, or of a release from before there was one.",
    "Is it the hub's? A hub or `hub migrate` chains an old history; what was changed before then cannot be found out.",
  );
}

/** @param known a head that was written down elsewhere: proves that everything up to it is still what it was */
export async function verifyHistory(reading: Reading, known?: string): Promise<ChainVerdict> {
  requireHistory(reading.schema);
  return reading.history(async (reads) => {
    const checker = chainChecker({ head: await reads.events.head(), known, firstId: reads.firstId });
    for await (const event of allEvents(reads)) checker.next(event);
    const verdict = checker.verdict();
    if (!verdict.ok || verdict.events > 0) return verdict;
    // Whoever deletes everything deletes the head as well; what the hub did without a history gives it away.
    const traces = await reads.traces();
    if (traces.length === 0) return verdict;
    return { ok: false, at: null, why: `there is not one event, but the hub has worked (${traces.join(", ")})` };
  });
}

export async function* allEvents({ events }: Pick<HistoryReads, "events">): AsyncGenerator<ChainedEvent> {
  let after: number | null = null;
  for (;;) {
    const page: ChainedEvent[] = await events.chain(after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = last.id;
  }
}
