// The fleet in memory against the fleet in the store: the same after whatever changes, whoever made them and in whatever order.
import { deployment } from "./testing/sample-records.ts";
import { planOfOneStep } from "./core/plan.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Change, type Changes, trackChanges } from "./changes.ts";
import { type FleetMemory, openFleetMemory } from "./fleet-memory.ts";
import { type Fleet, fleetOf, readTables } from "./fleet.ts";
import { rememberStandings } from "./standings.ts";
import { trackPresence, type Presence } from "./presence.ts";
import type { DeploymentRecord, VersionRecord } from "./store/records.ts";
import { openSqlite } from "./store/sqlite.ts";
import type { Store } from "./store/store.ts";
import { deviceRecord, observedRunning, putDevices } from "./testing/many-devices.ts";
import { deploymentView, deviceView, groupView, versionView } from "./views.ts";

const AT = "2026-01-01T00:00:00.000Z";
const GROUPS = ["default", "pilot", "zone"];
const MODELS = ["default", "other"];
const IDS = ["edge-1", "edge-2", "edge-3", "edge-4"];
const VERSIONS = ["v1", "v2"];
const digestOf = (version: string) => version.padEnd(64, "0");

let dir: string;
let store: Store;
let changes: Changes;
let presence: Presence;
let memory: FleetMemory;

async function open() {
  dir = mkdtempSync(join(tmpdir(), "context-edge-fleet-"));
  store = await openSqlite(join(dir, "hub.sqlite"));
  changes = trackChanges(store, Date.now);
  presence = trackPresence(new Map(), { offlineAfterMs: 1_000, now: () => 0, store });
  memory = await openFleetMemory(store, changes, presence);
}
async function close() {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
}
beforeEach(open);
afterEach(close);

const device = fc.constantFrom(...IDS);
const group = fc.constantFrom(...GROUPS);
const model = fc.constantFrom(...MODELS);
const version = fc.constantFrom(...VERSIONS);
const step = fc.oneof(
  fc.record({ do: fc.constant("enroll" as const), device, group, revoked: fc.boolean() }),
  fc.record({ do: fc.constant("move" as const), device, group }),
  fc.record({ do: fc.constant("report" as const), device, model, version }),
  fc.record({ do: fc.constant("register" as const), model, version }),
  fc.record({ do: fc.constant("deploy" as const), model, version, group, share: fc.constantFrom(0.5, 1) }),
  fc.record({ do: fc.constant("pause" as const) }),
  fc.record({ do: fc.constant("look" as const) }),
  fc.record({ do: fc.constant("fail" as const), device, group }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The fleet as the store has it, nothing remembered. */
async function readWhole(): Promise<Fleet> {
  const devices = (await store.devices.list()).filter(({ revoked }) => !revoked);
  return fleetOf(await readTables(store, devices), presence, rememberStandings());
}

async function ensureVersion({ tx, touched }: Change, one: { model: string; version: string }): Promise<void> {
  if (await tx.versions.find(one.model, one.version)) return;
  await tx.versions.insert(versionRecord(one.model, one.version));
  touched.versions.add(`${one.model}/${one.version}`);
}

async function perform(change: Change, one: Step, number: number): Promise<void> {
  const { tx, touched } = change;
  switch (one.do) {
    case "enroll":
      await tx.groups.ensure(one.group, AT);
      await tx.devices.put(deviceRecord(one.device, one.group, { revoked: one.revoked }));
      touched.devices.add(one.device);
      touched.groups.add(one.group);
      return;
    case "move":
      await tx.groups.ensure(one.group, AT);
      await tx.devices.assign(one.device, { group_name: one.group, home_group: null, assignment_sequence: number });
      touched.devices.add(one.device);
      touched.groups.add(one.group);
      return;
    case "report": {
      const observed = observedRunning(one.version, digestOf(one.version));
      await tx.devices.saveReport(one.device, {
        outbox: "box",
        observed_number: number,
        outcome_number: 0,
        observed: { ...observed, models: { [one.model]: observed.models["default"] as never } },
        last_outcomes: {},
      });
      touched.devices.add(one.device);
      return;
    }
    case "register":
      return ensureVersion(change, one);
    case "deploy": {
      const made = deploymentRecord(`dep-${number}`, one.model, one.version, one.group, one.share);
      await tx.groups.ensure(one.group, AT);
      await ensureVersion(change, one);
      await tx.deployments.insert(made);
      await tx.targets.put({
        group_name: one.group,
        model: one.model,
        version: one.version,
        previous_version: null,
        outside_version: null,
        deployment_id: made.id,
        since: AT,
      });
      touched.groups.add(one.group);
      touched.deployments.add(made.id);
      return;
    }
    case "pause":
      for (const { id } of await tx.deployments.open()) {
        await tx.deployments.update(id, { state: number % 2 === 0 ? "paused" : "running" });
        touched.deployments.add(id);
      }
  }
}

test("after any changes, also failed and simultaneous ones, the fleet in memory is the fleet in the store", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), async (rounds) => {
      await close();
      await open();
      let number = 0;
      for (const together of rounds) {
        await Promise.all(
          together.map(async (one) => {
            number += 1;
            const mine = number;
            if (one.do === "look") return void (await memory.fleet());
            if (one.do !== "fail") return changes.make("somebody", (change) => perform(change, one, mine));
            await changes
              .make("somebody", async (change) => {
                await perform(change, { ...one, do: "enroll", revoked: false }, mine);
                throw new Error("undone");
              })
              .catch(() => undefined);
          }),
        );
        expect(shown(await memory.fleet())).toEqual(shown(await readWhole()));
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

/** Everything that anybody reads from a fleet. */
function shown(fleet: Fleet) {
  return {
    devices: fleet.devices.map((one) => ({
      one,
      view: deviceView(fleet, presence, one),
      found: fleet.device(one.id) === one,
      standings: MODELS.map((each) => fleet.standing(one, each)),
    })),
    groups: fleet.groups.map((one) => ({ one, view: groupView(fleet, presence, one) })),
    members: GROUPS.map((each) => fleet.devicesOf(each).map(({ id }) => id)),
    targets: fleet.targets,
    deployments: [...fleet.deploymentsById]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, one]) => ({ id, isTarget: fleet.isTarget(id), view: deploymentView(fleet, one) })),
    versions: VERSIONS.flatMap((each) => {
      const record = fleet.version("default", each);
      return record ? [{ record, view: versionView(fleet, record) }] : [];
    }),
  };
}

test("nothing is read again when nothing changed, and only what changed when something did", async () => {
  const ids = Array.from({ length: 1_000 }, (_, n) => `edge-${String(n).padStart(4, "0")}`);
  await putDevices(store, ids, "default");
  memory.reload();
  const before = await memory.fleet();
  const read: string[][] = [];
  const devices = { ...store.devices };
  store.devices.some = (wanted) => {
    read.push([...wanted]);
    return devices.some(wanted);
  };
  store.devices.list = store.devices.after = () => Promise.reject(new Error("not the whole fleet"));
  expect(await memory.fleet()).toBe(before);
  await changes.make("somebody", (change) =>
    perform(change, { do: "report", device: "edge-0500", model: "default", version: "v1" }, 1),
  );
  const after = await memory.fleet();
  expect(read).toEqual([["edge-0500"]]);
  expect(after.devices.filter((one, at) => one !== before.devices[at]).map(({ id }) => id)).toEqual(["edge-0500"]);
  expect(before.device("edge-0500")?.observed, "who looked before still sees what was").toBeNull();
});

test("a look that fails forgets nothing: the next one tries again", async () => {
  await putDevices(store, IDS, "default");
  memory.reload();
  await memory.fleet();
  const devices = { ...store.devices };
  store.devices.some = () => Promise.reject(new Error("the database is locked"));
  await changes.make("somebody", (change) => perform(change, { do: "move", device: "edge-1", group: "zone" }, 7));
  await expect(memory.fleet()).rejects.toThrow("locked");
  store.devices.some = devices.some.bind(devices);
  expect((await memory.fleet()).device("edge-1")?.group_name).toBe("zone");
});

function versionRecord(ofModel: string, id: string): VersionRecord {
  return {
    model: ofModel,
    version_id: id,
    stage: "approved",
    accuracy: id === "v1" ? 0.8 : 0.9,
    training_samples: 1,
    training_date: AT,
    metrics: {},
    variants: [{ digest: digestOf(id), size_bytes: 1, format: "onnx", platform: {} }],
    sha256: digestOf(id),
    size_bytes: 1,
    model_path: "",
    statement: null,
    signed_by: null,
    content_hash: "",
    registered_at: AT,
    registered_by: "somebody",
    decided_by: null,
    decided_at: null,
    decision_reason: null,
  };
}

function deploymentRecord(id: string, ofModel: string, to: string, inGroup: string, share: number): DeploymentRecord {
  const plan = planOfOneStep([inGroup], null);
  const where = { groups: [inGroup], previous: {}, plan, shares: { [inGroup]: share } };
  return { ...deployment, id, model: ofModel, version: to, ...where };
}
