// What every store must do, run on each implementation there is; PostgreSQL joins this list when it comes.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeploymentRecord, DeviceRecord, VersionRecord } from "./records.ts";
import { openSqlite } from "./sqlite.ts";
import type { Store } from "./store.ts";

const AT = "2026-01-01T00:00:00.000Z";
const version: VersionRecord = {
  model: "default",
  version_id: "v1",
  stage: "pending",
  accuracy: 0.9,
  training_samples: 10,
  training_date: AT,
  metrics: { any: [1] },
  variants: [{ digest: "a".repeat(64), size_bytes: 2 ** 40, format: "trt", platform: { sm: "8.7" } }],
  sha256: "a".repeat(64),
  size_bytes: 2 ** 40,
  model_path: "artifact://x",
  statement: null,
  signed_by: null,
  content_hash: "h",
  registered_at: AT,
  registered_by: "t",
  decided_by: null,
  decided_at: null,
  decision_reason: null,
};
const device: DeviceRecord = {
  id: "edge-001",
  group_name: "pilot",
  home_group: null,
  credential_hash: "c",
  enrolled_at: AT,
  last_seen: null,
  revoked: false,
  assignment_sequence: Date.parse(AT),
  hold: null,
  outbox: null,
  observed_number: 0,
  outcome_number: 0,
  observed: null,
  last_outcomes: {},
};
const deployment: DeploymentRecord = {
  id: "dep-1",
  model: "default",
  version: "v1",
  kind: "group",
  groups: ["pilot"],
  previous: { pilot: null },
  state: "running",
  state_reason: "",
  share: 1,
  retry: 0,
  tolerated: 0,
  excused: {},
  reason: "",
  created_by: "t",
  created_at: AT,
  soaking_since: null,
  finished_at: null,
  gate: null,
  progress: null,
};

function storeContract(name: string, open: (dir: string) => Promise<Store>) {
  describe(`the store on ${name}`, () => {
    let dir: string;
    let store: Store;
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), "store-"));
      store = await open(dir);
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
      store = await open(dir);
      expect(await store.devices.find("edge-001")).toEqual(device);
      expect(await store.devices.byCredential("c")).toEqual(device);
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
      expect(await store.outcomes.insert(outcome)).toBe(true);
      expect(await store.outcomes.insert(outcome)).toBe(false);
      expect(await store.outcomes.insert({ ...outcome, outbox: "another" })).toBe(true);
      expect(await store.outcomes.ofDevice("edge-001", 10)).toHaveLength(2);
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
  });
}

storeContract("SQLite", (dir) => openSqlite(join(dir, "hub.sqlite")));
