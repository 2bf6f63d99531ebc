// What every store must do, run on each implementation there is.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { startPostgres } from "../testing/postgres.ts";
import { AT, deployment, device, tellOutcome, version } from "../testing/sample-records.ts";
import { chainChecker } from "./audit-chain.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";
import type { Store } from "./store.ts";

/** @param fresh a new empty database, and how to open it: as often as is wanted, at the same time as well */
function storeContract(name: string, fresh: (dir: string) => Promise<() => Promise<Store>>) {
  describe(`the store on ${name}`, () => {
    let dir: string;
    let open: () => Promise<Store>;
    let store: Store;
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), "store-"));
      open = await fresh(dir);
      store = await open();
    });
    afterEach(async () => {
      await store.close();
      rmSync(dir, { recursive: true });
    });

    test("gives back what was put in, sizes beyond 32 bits included", async () => {
      await store.versions.insert(version);
      expect(await store.versions.find("default", "v1")).toEqual(version);
      expect(await store.versions.withDigest("a".repeat(64))).toHaveLength(1);
      expect(await store.versions.find("other", "v1")).toBeUndefined();
    });

    test("a transaction that fails leaves nothing behind, events included", async () => {
      const failing = store.transaction(async (tx) => {
        await tx.groups.ensure("pilot", AT);
        await tx.events.append({ at: AT, kind: "k", actor: "a", subject: "s", summary: "x", data: {} });
        throw new Error("midway");
      });
      await expect(failing).rejects.toThrow("midway");
      expect(await store.groups.list()).toEqual([]);
      expect(await store.events.lastId()).toBe(0);
    });

    test("is all there when it is opened again", async () => {
      await store.groups.ensure("pilot", AT);
      await store.devices.put(device);
      await store.close();
      store = await open();
      expect(await store.devices.find("edge-001")).toEqual(device);
      expect(await store.devices.byCredential("c")).toEqual(device);
    });

    test("removes a group with its targets, and not one that devices are in", async () => {
      await store.versions.insert(version);
      await store.deployments.insert(deployment);
      for (const group of ["north", "pilot"]) await store.groups.ensure(group, AT);
      await store.devices.put({ ...device, group_name: "pilot", revoked: true });
      const target = {
        model: "default",
        version: "v1",
        previous_version: null,
        outside_version: null,
        deployment_id: "dep-1",
        since: AT,
      };
      for (const group_name of ["north", "pilot"]) await store.targets.put({ ...target, group_name });
      await store.targets.removeOf("north");
      await store.groups.remove("north");
      expect(await store.groups.list()).toMatchObject([{ name: "pilot" }]);
      expect(await store.targets.list()).toMatchObject([{ group_name: "pilot" }]);
      await store.targets.removeOf("pilot");
      await expect(store.groups.remove("pilot")).rejects.toThrow(/foreign key/i);
      const { id, assignment_sequence } = device;
      expect(await store.devices.revokedIn("pilot")).toEqual([{ id, assignment_sequence }]);
      expect(await store.devices.revokedIn("north")).toEqual([]);
    });

    test("applies an outcome of one outbox and number once", async () => {
      await store.groups.ensure("pilot", AT);
      await store.devices.put(device);
      const outcome = {
        device_id: "edge-001",
        outbox: "o",
        number: 1,
        report: {
          model: "default",
          version: "v1",
          digest: "a".repeat(64),
          deployment_id: "d",
          outcome: "committed" as const,
          code: "OK",
          message: "",
          next_step: "",
          at: AT,
          evidence: {},
        },
      };
      expect(await store.outcomes.isKnown(outcome)).toBe(false);
      await tellOutcome(store, outcome);
      expect(await store.outcomes.isKnown(outcome)).toBe(true);
      await expect(tellOutcome(store, outcome)).rejects.toThrow(/unique/i);
      const another = { ...outcome, outbox: "another", report: { ...outcome.report, message: "other words" } };
      expect(await store.outcomes.isKnown(another)).toBe(false);
      await tellOutcome(store, another);
      const [newest, oldest, ...more] = await store.outcomes.ofDevice("edge-001", 10);
      expect(more).toEqual([]);
      expect([newest, oldest]).toMatchObject([another, outcome]);
      expect(await store.outcomes.ofDevice("edge-001", 1)).toEqual([newest]);
      expect(await store.outcomes.ofDevice("edge-001", 1, newest?.id)).toEqual([oldest]);
    });

    test("counts each labelled prediction once, in batches larger than one statement takes", async () => {
      const labels = Array.from({ length: 1_200 }, (_, index) => ({
        model: "default",
        version: "v1",
        prediction_id: `p${index}`,
        device_id: "edge-001",
        predicted: "normal",
        actual: index % 4 === 0 ? "hot" : "normal",
        at: AT,
      }));
      expect(await store.labels.insert(labels)).toBe(1_200);
      expect(await store.labels.insert(labels)).toBe(0);
      const counts = await store.labels.counts("default", "v1");
      expect(counts).toEqual(
        expect.arrayContaining([
          { predicted: "normal", actual: "hot", count: 300 },
          { predicted: "normal", actual: "normal", count: 900 },
        ]),
      );
    });

    test("remembers when a file was last uploaded, and what is being removed until it is struck out", async () => {
      const { files } = store;
      const [file, size_bytes] = ["a".repeat(64), 5 * 2 ** 32];
      for (const at of ["2026-01-01T00:00:00.000Z", "2026-01-03T00:00:00.000Z"]) await files.noteUpload(file, at);
      await files.forgetUploads("2026-01-02T00:00:00.000Z");
      expect(await files.uploadedAt(file)).toBe("2026-01-03T00:00:00.000Z");
      await files.forgetUploads("2026-01-04T00:00:00.000Z");
      expect(await files.uploadedAt(file)).toBeNull();
      for (let time = 0; time < 2; time += 1)
        await files.condemn({ digest: file, size_bytes, why: "never registered" });
      expect(await files.condemned()).toEqual([{ digest: file, size_bytes, why: "never registered" }]);
      expect(await files.isCondemned(file)).toBe(true);
      await files.strike(file);
      expect([await files.isCondemned(file), await files.condemned()]).toEqual([false, []]);
    });

    test("lists open deployments only as long as they are open", async () => {
      await store.versions.insert(version);
      await store.deployments.insert(deployment);
      expect(await store.deployments.open()).toEqual([deployment]);
      await store.deployments.update("dep-1", { state: "finished", excused: { "edge-001": AT } });
      expect(await store.deployments.open()).toEqual([]);
      expect(await store.deployments.find("dep-1")).toMatchObject({ state: "finished", excused: { "edge-001": AT } });
    });

    test("pages through events from both ends", async () => {
      for (const kind of ["a", "b", "c"])
        await store.events.append({ at: AT, kind, actor: "t", subject: "s", summary: kind, data: { kind } });
      expect((await store.events.newest(2)).map(({ kind }) => kind)).toEqual(["c", "b"]);
      expect((await store.events.newest(2, 2)).map(({ kind }) => kind)).toEqual(["a"]);
      expect((await store.events.after(1, 10)).map(({ kind }) => kind)).toEqual(["b", "c"]);
    });

    test("several writers at once leave one whole history, and none overwrites what another counted", async () => {
      await store.groups.ensure("pilot", AT);
      const stores = [store, await open(), await open()];
      const append = (writer: Store, kind: string) =>
        writer.transaction(async (tx) => {
          const group = await tx.groups.find("pilot");
          const manifest_sequence = (group?.manifest_sequence ?? 0) + 1;
          const manifest = { payloadType: "t", payload: "", signatures: [] };
          await tx.groups.saveManifest("pilot", { manifest_sequence, manifest, manifest_content: kind });
          await tx.events.append({ at: AT, kind, actor: "a", subject: "s", summary: kind, data: {} });
        });
      await Promise.all(
        stores.flatMap((writer, index) => Array.from({ length: 10 }, (_, n) => append(writer, `${index}.${n}`))),
      );
      const events = await store.events.chain(0, 100);
      expect(events).toHaveLength(30);
      const checker = chainChecker({ head: await store.events.head() });
      for (const event of events) checker.next(event);
      expect(checker.verdict()).toMatchObject({ ok: true, events: 30 });
      expect((await store.groups.find("pilot"))?.manifest_sequence).toBe(30);
      await Promise.all(stores.slice(1).map((one) => one.close()));
    });

    test("words that a database would not take, or would give back otherwise, do not break the history", async () => {
      const summary = "half a pair \ud800 and a \0";
      await store.events.append({ at: AT, kind: "k", actor: "a\0", subject: "s", summary, data: { summary } });
      const [event] = await store.events.chain(0, 1);
      const checker = chainChecker({ head: await store.events.head() });
      if (event) checker.next(event);
      expect(checker.verdict()).toMatchObject({ ok: true, events: 1 });
      expect((await store.events.after(0, 1))[0]?.data).toEqual({ summary });
    });

    test("identifiers come in the order of their bytes, whatever the language of the machine", async () => {
      await store.groups.ensure("pilot", AT);
      for (const id of ["b", "B", "a-1", "a1", "_", "ä"])
        await store.devices.put({ ...device, id, credential_hash: id });
      expect((await store.devices.list()).map(({ id }) => id)).toEqual(["B", "_", "a-1", "a1", "b", "ä"]);
    });

    test("a time of last sight moves forward only, for more devices than one statement takes", async () => {
      await store.groups.ensure("pilot", AT);
      const ids = Array.from({ length: 1_200 }, (_, index) => `edge-${index}`);
      await store.transaction(async (tx) => {
        for (const id of ids) await tx.devices.put({ ...device, id, credential_hash: id });
      });
      const later = "2026-01-02T00:00:00.000Z";
      await store.devices.touch(new Map(ids.map((id) => [id, later])));
      await store.devices.touch(new Map([["edge-7", AT]]));
      const seen = new Set((await store.devices.list()).map((one) => one.last_seen));
      expect(seen).toEqual(new Set([later]));
    });

    test("several hubs that start at once on an empty database migrate it once", async () => {
      await store.close();
      open = await fresh(mkdtempSync(join(dir, "empty-")));
      const stores = await Promise.all([open(), open(), open()]);
      for (const [index, one] of stores.entries()) await one.groups.ensure(`g${index}`, AT);
      expect(await stores[0]?.groups.list()).toHaveLength(3);
      await Promise.all(stores.slice(1).map((one) => one.close()));
      store = stores[0] ?? store;
    });
  });
}

storeContract("SQLite", (dir) => Promise.resolve(() => openSqlite(join(dir, "hub.sqlite"))));

const postgres = await startPostgres();
afterAll(() => postgres?.close());
describe.skipIf(postgres === null)("with a server", () => {
  storeContract("PostgreSQL", async () => {
    const url = (await postgres?.database()) ?? "";
    return () => openPostgres(url);
  });
});
