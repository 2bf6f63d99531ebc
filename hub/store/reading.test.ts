// Who only looks at a database sees one moment of it, and can change nothing: on both of them, beside a hub that writes.
import { afterAll, expect, test } from "vitest";
import { startPostgres } from "../testing/postgres.ts";
import { openTestHub } from "../testing/test-hub.ts";
import { openToRead } from "./open.ts";
import type { Repositories } from "./store.ts";

const postgres = await startPostgres();
afterAll(() => postgres?.close());
const ENGINES: [string, () => Promise<Record<string, string>>][] = [["SQLite", async () => ({})]];
if (postgres) ENGINES.push(["PostgreSQL", async () => ({ DATABASE_URL: await postgres.database() })]);

test.each(ENGINES)("on %s: what is written meanwhile is not there, and nothing can be written", async (_, settings) => {
  const hub = await openTestHub(await settings());
  await hub.register("v1");
  const reading = await openToRead(hub.hub.config);
  expect(reading.schema.kind).toBe("current");
  await reading.history(async ({ events }) => {
    const head = await events.head();
    expect((await hub.register("v2")).status).toBe(201);
    expect((await events.chain(null, 100)).map(({ id }) => id)).toEqual([head?.id]);
  });
  expect(await reading.history(({ events }) => events.chain(null, 100))).toHaveLength(2);
  const event = { at: "2026-01-01T00:00:00.000Z", kind: "k", actor: "a", subject: "s", summary: "x", data: {} };
  const writing = reading.history(({ events }) => (events as Repositories["events"]).append(event));
  await expect(writing).rejects.toThrow(/read-?only/);
  await reading.close();
  await hub.close();
});
