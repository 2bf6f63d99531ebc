// What telling people and repeating requests need of a store, on each implementation there is.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { startPostgres } from "../testing/postgres.ts";
import { AT } from "../testing/sample-records.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";
import type { Store } from "./store.ts";
import type { WebhookRecord } from "./webhooks.ts";

const LATER = "2026-01-01T01:00:00.000Z";
const hook: WebhookRecord = {
  id: "wh_1",
  url: "https://example.com/",
  secret: "whsec_x",
  kinds: ["gate.passed"],
  format: "json",
  enabled: true,
  offline_after_seconds: null,
  created_by: "t",
  created_at: AT,
};
const message = (message_id: string) => ({
  webhook_id: "wh_1",
  message_id,
  kind: "gate.passed" as const,
  body: "{}",
  created_at: AT,
});

function contract(name: string, open: (dir: string) => Promise<Store>) {
  describe(`telling people on ${name}`, () => {
    let dir: string;
    let store: Store;
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), "store-"));
      store = await open(dir);
      await store.webhooks.put(hook);
    });
    afterEach(async () => {
      await store.close();
      rmSync(dir, { recursive: true });
    });
    const dueAt = async (at: string) => (await store.deliveries.next("wh_1", at)).map(({ message_id }) => message_id);

    test("gives a webhook back as it was put, and removes it with its deliveries", async () => {
      expect(await store.webhooks.find("wh_1")).toEqual(hook);
      await store.webhooks.put({ ...hook, enabled: false });
      expect((await store.webhooks.list()).map(({ enabled }) => enabled)).toEqual([false]);
      await store.deliveries.insert(message("a"));
      await store.webhooks.remove("wh_1");
      expect(await store.deliveries.counts()).toEqual([]);
    });
    test("takes a message once, numbers in order, and gives out the head of the line only", async () => {
      expect(await store.deliveries.insert(message("a"))).toBe(true);
      expect(await store.deliveries.insert(message("a"))).toBe(false);
      await store.deliveries.insert(message("b"));
      expect(await dueAt(AT)).toEqual(["a"]);
      await store.deliveries.update("wh_1", 1, { next_at: LATER });
      expect(await dueAt(AT)).toEqual([]);
      await store.deliveries.update("wh_1", 1, { aside: true });
      expect(await dueAt(AT)).toEqual(["b"]);
      expect(await dueAt(LATER)).toEqual(["b", "a"]);
      expect((await store.deliveries.list("wh_1", 10)).map(({ number }) => number)).toEqual([2, 1]);
      expect(await store.deliveries.counts()).toEqual([{ webhook_id: "wh_1", state: "pending", count: 2 }]);
    });
    test("forgets what ended long ago, never what waits", async () => {
      await store.deliveries.insert(message("a"));
      await store.deliveries.insert(message("b"));
      await store.deliveries.update("wh_1", 1, { state: "delivered" });
      await store.deliveries.prune(LATER);
      expect((await store.deliveries.list("wh_1", 10)).map(({ message_id }) => message_id)).toEqual(["b"]);
    });
    test("lets one of many claim a key, and remembers its answer", async () => {
      const claim = { actor: "ann", key: "k", fingerprint: "f", created_at: LATER };
      const limits = { expiredBefore: AT, staleBefore: AT };
      const claimed = await Promise.all(
        Array.from({ length: 8 }, () => store.transaction((tx) => tx.idempotency.claim(claim, limits))),
      );
      expect(claimed.filter((one) => one === undefined)).toHaveLength(1);
      await store.idempotency.answer(claim, { status: 201, content_type: "application/json", body: "{}" });
      expect(await store.idempotency.claim(claim, limits)).toMatchObject({ status: 201, body: "{}" });
      expect(await store.idempotency.claim(claim, { expiredBefore: "2027", staleBefore: AT })).toBeUndefined();
    });
    test("filters deployments by group without taking a sign of a name for any, and events by time", async () => {
      await store.events.append({ at: AT, kind: "a", actor: "t", subject: "s", summary: "", data: {} });
      await store.events.append({ at: LATER, kind: "b", actor: "t", subject: "s", summary: "", data: {} });
      const kinds = async (filter: object) => (await store.events.newest(9, undefined, filter)).map(({ kind }) => kind);
      expect(await kinds({ from: LATER })).toEqual(["b"]);
      expect(await kinds({ to: LATER })).toEqual(["a"]);
      expect(await store.deployments.list({ limit: 9, group: "n_rth", state: "running" })).toEqual([]);
    });
  });
}

contract("SQLite", (dir) => openSqlite(join(dir, "hub.sqlite")));

const postgres = await startPostgres();
afterAll(() => postgres?.close());
describe.skipIf(postgres === null)("with a server", () => {
  contract("PostgreSQL", async () => openPostgres((await postgres?.database()) ?? ""));
});
