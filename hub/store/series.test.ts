// What every store must do with figures over time and with what the janitor asks, run on each implementation there is.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deployment, tellOutcome, version } from "../testing/sample-records.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SeriesBlock } from "./series.ts";
import { openSqlite } from "./sqlite.ts";
import type { Store } from "./store.ts";

const AT = Date.parse("2026-01-01T00:00:00.000Z");
const iso = (days: number) => new Date(AT + days * 86_400_000).toISOString();
const block = (some: Partial<SeriesBlock> = {}): SeriesBlock => ({
  resolution: "minute",
  atMs: AT,
  subject: "d/edge-001",
  kind: "inference",
  model: "default",
  version: "v1",
  part: 7,
  cells: "1;a;=;5;0",
  ...some,
});

function seriesContract(name: string, open: (dir: string) => Promise<Store>) {
  describe(`figures over time on ${name}`, () => {
    let dir: string;
    let store: Store;
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), "series-"));
      store = await open(dir);
      await store.groups.ensure("pilot", iso(0));
    });
    afterEach(async () => {
      await store.close();
      rmSync(dir, { recursive: true });
    });

    const enrol = (id: string, last_seen: string) =>
      store.devices.put({
        id,
        group_name: "pilot",
        home_group: null,
        credential_hash: id,
        enrolled_at: iso(0),
        last_seen,
        revoked: false,
        assignment_sequence: 1,
        hold: null,
        outbox: null,
        observed_number: 0,
        outcome_number: 0,
        observed: null,
        last_outcomes: {},
      });

    test("a block is found by exactly its key, and written again it is replaced", async () => {
      await store.series.put([
        block(),
        block({ subject: "g/pilot" }),
        block({ part: 8 }),
        block({ resolution: "hour" }),
      ]);
      await store.series.put([block({ cells: "1;b;=;5;0" })]);
      const found = await store.series.read({ resolution: "minute", atMs: [AT], subjects: ["d/edge-001"] });
      expect(found).toHaveLength(2);
      expect(found).toEqual(expect.arrayContaining([block({ cells: "1;b;=;5;0" }), block({ part: 8 })]));
      const none = { resolution: "minute" as const, atMs: [AT], subjects: ["d/edge-001"] };
      expect(await store.series.read({ ...none, version: "v2" })).toEqual([]);
      expect(await store.series.read({ ...none, kind: "telemetry" })).toEqual([]);
      expect(await store.series.read({ ...none, atMs: [AT + 900_000] })).toEqual([]);
    });

    test("more blocks than one statement takes are all written, and deleted oldest first in slices", async () => {
      const many = Array.from({ length: 250 }, (_, index) =>
        block({ subject: `d/e${String(index).padStart(4, "0")}` }),
      );
      await store.series.put([...many, block({ atMs: AT + 900_000 }), block({ resolution: "day" })]);
      const removed: number[] = [];
      for (;;) {
        const count = await store.series.deleteBefore("minute", AT + 900_000, 100);
        if (count === 0) break;
        removed.push(count);
      }
      expect(removed).toEqual([100, 100, 50]);
      expect(await store.series.oldest("minute")).toBe(AT + 900_000);
      expect(await store.series.oldest("day")).toBe(AT);
      expect(await store.series.oldest("hour")).toBeNull();
    });

    test("remembers up to where days are rolled up", async () => {
      expect(await store.series.rolledUpTo()).toBeNull();
      await store.series.setRolledUpTo(AT);
      await store.series.setRolledUpTo(AT + 86_400_000);
      expect(await store.series.rolledUpTo()).toBe(AT + 86_400_000);
    });

    test("old outcomes go, but not the newest of a device, nor those of an open deployment, whatever their clocks", async () => {
      await enrol("edge-001", iso(0));
      await store.versions.insert(version);
      await store.deployments.insert({ ...deployment, id: "open", state: "running" });
      for (let number = 1; number <= 12; number += 1) {
        const at = number <= 6 ? iso(-400) : iso(4_000);
        const report = { model: "default", version: "v1", digest: "a".repeat(64), at, evidence: {}, next_step: "" };
        const deployment_id = number === 2 ? "open" : "gone";
        const told = { ...report, deployment_id, outcome: "committed" as const, code: "OK", message: "" };
        await tellOutcome(store, { device_id: "edge-001", outbox: "o", number, report: told });
      }
      const rule = { before: iso(-365), keep: 2, most: 5 };
      // 1 to 6 are old; 7 has a clock of the future, but there are five newer ones.
      expect(await store.retention.pruneOutcomes("edge-001", rule)).toBe(6);
      const left = (await store.outcomes.ofDevice("edge-001", 100)).map(({ number }) => number);
      expect(left).toEqual([12, 11, 10, 9, 8, 2]);
    });

    test("labels go by their age, and are counted by hour and day", async () => {
      const label = (id: string, at: string, actual = "normal") => ({
        model: "default",
        version: "v1",
        prediction_id: id,
        device_id: "edge-001",
        predicted: "normal",
        actual,
        at,
      });
      await store.labels.insert([
        label("a", "2026-01-01T08:10:00.000Z"),
        label("b", "2026-01-01T08:50:00Z", "hot"),
        label("c", "2026-01-01T09:00:00.000Z"),
        label("old", "2024-01-01T09:00:00.000Z"),
      ]);
      const range = { model: "default", version: "v1", from: iso(0), to: iso(1) };
      const hours = await store.labels.countsOver({ ...range, by: "hour" }, 100);
      expect(
        hours.map(({ at, actual, count }) => `${at} ${actual} ${count}`).toSorted((a, b) => (a < b ? -1 : 1)),
      ).toEqual(["2026-01-01T08 hot 1", "2026-01-01T08 normal 1", "2026-01-01T09 normal 1"]);
      const days = await store.labels.countsOver({ ...range, by: "day" }, 100);
      expect(days).toContainEqual({ at: "2026-01-01", predicted: "normal", actual: "normal", count: 2 });
      expect(await store.retention.pruneLabels(iso(-365), 100)).toBe(1);
      expect(await store.retention.pruneLabels(iso(-365), 100)).toBe(0);
    });

    test("a device is told dead once, and alive again when it is", async () => {
      await enrol("edge-001", iso(-100));
      await enrol("edge-002", iso(-1));
      const silent = () => store.retention.silentSince(iso(-90), 10);
      expect(await silent()).toEqual([{ id: "edge-001", last_seen: iso(-100) }]);
      await store.retention.setDead("edge-001", iso(-100));
      expect(await silent()).toEqual([]);
      expect(await store.devices.find("edge-001")).toMatchObject({ dead_since: iso(-100) });
      await store.retention.setDead("edge-001", null);
      expect(await store.devices.find("edge-001")).not.toHaveProperty("dead_since");
    });
  });
}

seriesContract("SQLite", (dir) => openSqlite(join(dir, "hub.sqlite")));
