// `audit`: who did what, from the hub's history.
import { InvalidArgumentError, type Command } from "commander";
import { z } from "zod";
import { Event } from "../answers.ts";
import { act, examples, type World } from "../desk.ts";

const AuditOptions = z.object({
  limit: z.number().default(50),
  all: z.boolean().default(false),
  grep: z.string().optional(),
});

export function addAudit(program: Command, world: World): void {
  const audit = program
    .command("audit")
    .description("who did what, the newest first")
    .option("-n, --limit <n>", "how many (default: 50)", parseCount)
    .option("--all", "the whole history")
    .option("--grep <text>", "only rows that hold this text");
  act(audit, world, AuditOptions, async ({ hub, out }, { limit, all, grep }) => {
    const client = hub();
    const wholeNeeded = all || grep !== undefined || limit > 1_000;
    const found = wholeNeeded
      ? await client.all(Event, "api/v1/audit")
      : (await client.get(z.looseObject({ items: z.array(Event) }), "api/v1/audit", { limit })).items;
    const matching = grep === undefined ? found : found.filter((event) => JSON.stringify(event).includes(grep));
    const shown = all ? matching : matching.slice(0, limit);
    const rows = shown.map(({ at, actor, kind, summary }) => [out.when(at), actor, kind, summary]);
    const nothing = grep === undefined ? "Nothing happened yet." : `No row holds "${grep}".`;
    out.result(shown, shown.length > 0 ? out.table(["WHEN", "WHO", "WHAT", "SUMMARY"], rows) : [nothing]);
  });
  examples(audit, "context-edge audit -n 20", "context-edge audit --grep v2.1 --all --json");
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It is a number of rows, 1 or more.");
}
