// What a gate and a quarantine may rely on: figures that turned bad, time that was really watched, words of devices that really had the file.
import type { Deployment, Group, InferenceStats, OutcomeReport } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, until, type TestDevice, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
let devices: Map<string, TestDevice>;
let digests: Map<string, string>;
let turnedMs: number;
beforeEach(async () => {
  turnedMs = 0;
  hub = await openTestHub({ HUB_OFFLINE_AFTER_SECONDS: "1000000" }, () => Date.now() + turnedMs);
  digests = new Map();
  for (const version of ["v1", "v2", "v3"]) digests.set(version, (await hub.register(version)).digest);
  devices = new Map();
  for (const id of ["a-0", "a-1", "a-2", "b-0", "b-1"])
    devices.set(id, await hub.enroll(id, id.startsWith("a") ? "line-a" : "line-b"));
  await hub.call("POST", "/mlops/models/v1/deploy-all", { override: { reason: "first start" } });
  await runs("v1", [...devices.keys()]);
});
afterEach(() => hub.close());

const LINE_A = ["a-0", "a-1", "a-2"];
const runs = async (version: string, ids: readonly string[]) => {
  for (const id of ids) await devices.get(id)?.report(version);
};
const read = async (id: unknown) =>
  (await hub.call("GET", `/api/v1/deployments/${String(id)}`)).body as unknown as Deployment;
const becomes = (id: unknown, state: Deployment["state"]) =>
  until(async () => {
    const now = await read(id);
    return now.state === state && now;
  });
const put = async (group: string, version: string) =>
  (await hub.call("PUT", `/api/v1/groups/${group}/target`, { version })).body as unknown as Deployment;
async function counts(id: string, version: string, some: Partial<InferenceStats>): Promise<void> {
  const digest = digests.get(version) ?? "";
  const at = new Date().toISOString();
  const stats = { since: at, digest, predictions: 0, errors: 0, avg_ms: 8, ...some };
  const model = { current: { version, digest }, backup: null, current_since: at, attempt: null, waiting: null };
  const models = { default: { ...model, last_outcome: null, quarantined: [], stats } };
  await devices.get(id)?.report(version, undefined, { models });
}
const lost = (id: string, deployment: string, version: string, runsNow = "v1") => {
  const said: Partial<OutcomeReport> = { outcome: "rolled-back", code: "GOLDEN_MISMATCH", version };
  return devices.get(id)?.report(runsNow, { ...said, deployment_id: deployment, digest: digests.get(version) ?? "" });
};
const stageOf = async (version: string) =>
  (await hub.call("GET", `/api/v1/models/default/versions/${version}`)).body["stage"];

test("a gate that has passed closes again when the figures turn bad, and nobody is let through on the old verdict", async () => {
  const pilot = (await hub.call("POST", "/mlops/models/v2/deploy-pilot", { pilot_device_ids: LINE_A })).body;
  for (const id of LINE_A) await counts(id, "v2", { predictions: 1_000 });
  await becomes(pilot["deployment_id"], "awaiting-approval");
  for (const id of LINE_A) await counts(id, "v2", { predictions: 1_000, errors: 900 });
  const halted = await becomes(pilot["deployment_id"], "paused");
  expect(halted.state_reason).toMatch(/^Halted: the gate failed: [\d,]+ of [\d,]+ predictions failed/);
  expect(await hub.call("POST", "/mlops/models/v2/deploy-all", {})).toMatchObject({
    status: 409,
    body: { code: "GATE_NOT_MET" },
  });
  const metrics = (await hub.call("GET", "/mlops/deployment/v2/metrics")).body;
  expect(metrics).toMatchObject({ can_deploy_to_all: false });
  const kinds = ((await hub.call("GET", "/api/v1/audit")).body["items"] as { kind: string }[]).map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(["gate.passed", "gate.failed"]));
});

test("time counts for a device only since it runs the version: one that comes late is watched as long as the others", async () => {
  const body = { version: "v2", groups: ["line-a"], gate: { soak_seconds: 3_600 } };
  const made = (await hub.call("POST", "/api/v1/deployments", body)).body as unknown as Deployment;
  await runs("v2", ["a-0", "a-1"]);
  await until(async () => (await read(made.id)).progress.committed === 2);
  // Two looks, so that the two have been noted before the clock goes on.
  await until(async () => (await read(made.id)).gate?.conditions.some(({ name }) => name === "soak"));
  turnedMs += 3_500_000;
  await runs("v2", ["a-2"]);
  await becomes(made.id, "soaking");
  turnedMs += 200_000;
  const soak = async () => (await read(made.id)).gate?.conditions.find(({ name }) => name === "soak");
  await until(async () => (await soak())?.evidence["devices"] === 2);
  expect(await soak()).toMatchObject({ verdict: "inconclusive", evidence: { devices: 2, needed_devices: 3 } });
  expect((await read(made.id)).state).toBe("soaking");
  turnedMs += 3_500_000;
  // A single step that was asked to be watched is finished by its gate, not before.
  expect((await becomes(made.id, "finished")).state_reason).toMatch(/^The gate has passed/);
});

test("what a device measured on the version before is no evidence about one whose turn has not come", async () => {
  const { targets } = (await hub.call("GET", "/api/v1/groups/line-b")).body as unknown as Group;
  const deployment_id = targets["default"]?.deployment_id ?? "";
  const at = new Date().toISOString();
  const took = (ms: number) => ({
    samples: 9,
    errors: 0,
    mean_ms: ms,
    p50_ms: ms,
    p95_ms: ms,
    max_ms: ms,
    at,
    tags: {},
  });
  const evidence = { baseline: took(9), candidate: took(8) };
  for (const id of ["b-0", "b-1"]) await devices.get(id)?.report("v1", { deployment_id, evidence });
  const body = { version: "v2", groups: ["line-a", "line-b"], gate: { soak_seconds: 60 } };
  const made = (await hub.call("POST", "/api/v1/deployments", body)).body as unknown as Deployment;
  const gate = await until(async () => (await read(made.id)).gate ?? false);
  const latency = gate.conditions.find(({ name }) => name === "latency");
  expect(latency).toMatchObject({ verdict: "inconclusive", evidence: { devices: 0 } });
});

test("a device that was given up and succeeds after all lets a halted deployment go on", async () => {
  const body = { version: "v2", groups: ["line-a"], deadlines: { idle: 0.001 } };
  const made = (await hub.call("POST", "/api/v1/deployments", body)).body as unknown as Deployment;
  await becomes(made.id, "paused");
  await runs("v2", LINE_A);
  expect((await becomes(made.id, "finished")).state_reason).toBe("All 3 reachable devices run it");
});

test("a device that rolled a file back counts against it also when it has gone on to another version since", async () => {
  const first = await put("line-a", "v2");
  await lost("a-0", first.id, "v2");
  const next = await put("line-a", "v3");
  await devices.get("a-0")?.report("v3", { deployment_id: next.id, outcome: "committed" });
  const other = await put("line-b", "v2");
  await lost("b-0", other.id, "v2");
  await until(async () => (await stageOf("v2")) === "quarantined");
});

test("words about bytes that were never ordered, or by devices they were not ordered for, condemn nothing", async () => {
  const first = await put("line-a", "v2");
  for (const id of ["a-0", "a-1"]) await lost(id, "dep-of-nobody", "v1");
  // Of another group than the deployment's.
  for (const id of ["b-0", "b-1"]) await lost(id, first.id, "v2");
  // Of a version that this deployment never named.
  for (const id of ["a-0", "a-1"]) await lost(id, first.id, "v3");
  expect(await hub.hub.store.testimonies.accused()).toEqual([]);
  for (const id of ["a-0", "a-1"]) await lost(id, first.id, "v2");
  await until(async () => (await stageOf("v2")) === "quarantined");
  expect([await stageOf("v1"), await stageOf("v3")]).toEqual(["approved", "pending"]);
});

test("lifting a quarantine gives every version with those bytes the stage it had, whatever the others were", async () => {
  await hub.register("v2-twin", { bytes: Buffer.from("model v2") });
  await hub.call("POST", "/mlops/models/v2-twin/reject", { reason: "named twice" });
  await hub.call("POST", "/mlops/models/v2/approve", {});
  await hub.call("POST", "/api/v1/quarantines", { version: "v2", reason: "smells of burnt plastic" });
  expect([await stageOf("v2"), await stageOf("v2-twin")]).toEqual(["quarantined", "quarantined"]);
  await hub.call("POST", `/api/v1/quarantines/${digests.get("v2") ?? ""}/lift`, { reason: "it was the oven" });
  expect([await stageOf("v2"), await stageOf("v2-twin")]).toEqual(["approved", "rejected"]);
});

test("a device that enrols is told at once what its group runs", async () => {
  const newcomer = await hub.enroll("a-9", "line-a");
  await newcomer.report("none", undefined, { models: {} });
  const shown = (await hub.call("GET", "/api/v1/devices/a-9")).body;
  expect(shown).toMatchObject({ group: "line-a", sync: "pending", models: { default: { target: { version: "v1" } } } });
});
