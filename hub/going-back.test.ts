// Ways back: what is restored where groups differ, where nothing was before, where the way back is barred, and what was proved no more.
import { Manifest, peekPayload, type Deployment, type Envelope, type OutcomeReport } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, until, type TestDevice, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
let devices: Map<string, TestDevice>;
beforeEach(async () => {
  hub = await openTestHub({ HUB_QUARANTINE_AFTER: "90" });
  for (const version of ["v1", "v2", "v3"]) await hub.register(version);
  devices = new Map();
  for (const id of ["a-0", "a-1", "a-2", "a-3", "b-0", "b-1"]) {
    const group = id.startsWith("a") ? "line-a" : "line-b";
    devices.set(id, await hub.enroll(id, group));
  }
  await put("line-a", "v1");
  for (const device of devices.values()) await device.report("v1");
  await until(async () => (await deployments())[0]?.state === "finished");
});
afterEach(() => hub.close());

const deployments = async () => (await hub.call("GET", "/api/v1/deployments")).body["items"] as Deployment[];
const read = async (id: unknown) =>
  (await hub.call("GET", `/api/v1/deployments/${String(id)}`)).body as unknown as Deployment;
const becomes = (id: unknown, state: Deployment["state"]) =>
  until(async () => {
    const now = await read(id);
    return now.state === state && now;
  });
const put = async (group: string, version: string) =>
  (await hub.call("PUT", `/api/v1/groups/${group}/target`, { version })).body as unknown as Deployment;
async function create(body: object): Promise<Deployment> {
  const answer = await hub.call("POST", "/api/v1/deployments", { version: "v2", ...body });
  expect(answer).toMatchObject({ status: 201 });
  return answer.body as unknown as Deployment;
}
const targetOf = async (group: string) => {
  const { targets } = (await hub.call("GET", `/api/v1/groups/${group}`)).body as { targets: Record<string, unknown> };
  return targets["default"] as { version: string; previous_version: string | null } | undefined;
};
const settle = async (version: string, ids: readonly string[]) => {
  for (const id of ids) await devices.get(id)?.report(version);
};
const end = (id: string, deployment: Deployment, said: Partial<OutcomeReport>, runs = deployment.version) =>
  devices.get(id)?.report(runs, { deployment_id: deployment.id, version: deployment.version, ...said });
const lose = (id: string, deployment: Deployment) =>
  end(id, deployment, { outcome: "rolled-back", code: "NOT_READY" }, "v1");
async function toldTo(id: string) {
  const answer = await hub.app.inject({ url: "/device/v1/manifest", headers: devices.get(id)?.headers ?? {} });
  return peekPayload(answer.json<Envelope>(), Manifest)?.models;
}
const LINE_A = ["a-0", "a-1", "a-2", "a-3"];

test("a way back that is barred halts that deployment with its reason, and no other is held up by it", async () => {
  const bad = await create({ groups: ["line-a"], on_fail: "roll-back" });
  await hub.call("POST", "/api/v1/quarantines", { version: "v1", reason: "found to be wrong after all" });
  const other = await put("line-b", "v3");
  await lose("a-0", bad);
  const halted = await becomes(bad.id, "paused");
  expect(halted.state_reason).toMatch(/NOT_READY/);
  await settle("v3", ["b-0", "b-1"]);
  await becomes(other.id, "finished");
  expect(await hub.call("POST", `/api/v1/deployments/${bad.id}/rollback`, {})).toMatchObject({
    status: 409,
    body: { code: "DEPLOYMENT_CLOSED" },
  });
});

test("where one group had a version before and another had none, the one gets it back and the other has no target", async () => {
  const bad = await create({ groups: ["line-a", "line-b"], together: true, on_fail: "roll-back" });
  await settle("v2", ["a-1"]);
  await lose("a-0", bad);
  await becomes(bad.id, "rolling-back");
  expect((await targetOf("line-a"))?.version).toBe("v1");
  expect(await targetOf("line-b")).toBeUndefined();
  expect(await toldTo("b-0")).toEqual([]);
  await settle("v1", LINE_A);
  expect((await becomes(bad.id, "rolled-back")).state_reason).toMatch(/^Rolled back: 1 of 6 devices did not keep it/);
  const told = (await hub.call("GET", "/api/v1/audit")).body["items"] as { kind: string; subject: string }[];
  expect(told.filter(({ kind }) => kind === "deployment.rolling-back")).toHaveLength(1);
  expect(told.find(({ kind }) => kind === "target.cleared")?.subject).toBe("line-b");
});

test("a pilot group that is new goes back to what its devices ran where they came from", async () => {
  const pilot = (await hub.call("POST", "/mlops/models/v2/deploy-pilot", { pilot_device_ids: ["a-0", "a-1"] })).body;
  expect((await read(pilot["deployment_id"])).previous).toEqual({ pilot: "v1" });
  expect((await hub.call("POST", `/api/v1/deployments/${String(pilot["deployment_id"])}/rollback`, {})).status).toBe(
    200,
  );
  expect((await targetOf("pilot"))?.version).toBe("v1");
});

test("after a version was deployed to all and rolled back, every group is back, and its old pilot proves nothing any more", async () => {
  const pilot = (await hub.call("POST", "/mlops/models/v2/deploy-pilot", { pilot_device_ids: ["a-0", "a-1"] })).body;
  await settle("v2", ["a-0", "a-1"]);
  await becomes(pilot["deployment_id"], "awaiting-approval");
  const all = (await hub.call("POST", "/mlops/models/v2/deploy-all", {})).body;
  await settle("v2", [...devices.keys()]);
  await becomes(all["deployment_id"], "finished");
  await hub.call("POST", `/api/v1/deployments/${String(all["deployment_id"])}/rollback`, { reason: "jams on Mondays" });
  expect((await targetOf("pilot"))?.version).toBe("v1");
  expect((await targetOf("line-a"))?.version).toBe("v1");
  const again = await hub.call("POST", "/mlops/models/v2/deploy-all", {});
  expect(again).toMatchObject({ status: 409, body: { code: "GATE_NOT_MET" } });
  expect(JSON.stringify(again.body)).toMatch(/jams on Mondays/);
});

test("a version that was only tried is neither given to devices outside the next wave nor restored afterwards", async () => {
  const tried = await create({ groups: ["line-a"], waves: [{ count: 1 }, { share: 1 }] });
  await hub.call("POST", `/api/v1/deployments/${tried.id}/abort`, {});
  const next = await create({ version: "v3", groups: ["line-a"], waves: [{ count: 1 }, { share: 1 }] });
  expect(await toldTo("a-0")).toMatchObject([{ target: { version: "v3" }, previous: null }]);
  await hub.call("POST", `/api/v1/deployments/${next.id}/rollback`, {});
  expect((await targetOf("line-a"))?.version).toBe("v1");
});

test("devices that run the version already keep it while their wave has not come", async () => {
  await settle("v2", LINE_A);
  const first = await put("line-a", "v2");
  await becomes(first.id, "finished");
  await create({ groups: ["line-a"], waves: [{ count: 1 }, { share: 1 }] });
  expect(await toldTo("a-0")).toMatchObject([{ target: { version: "v2" }, previous: { version: "v2" } }]);
  expect((await targetOf("line-a"))?.previous_version).toBe("v1");
});

test("a version that is out for the fleet is not offered to devices outside the wave", async () => {
  await create({ groups: ["line-a"], waves: [{ count: 1 }, { share: 1 }] });
  expect(await toldTo("a-0")).toMatchObject([{ previous: { version: "v1" } }]);
  await hub.call("POST", "/api/v1/quarantines", { version: "v1", reason: "found to be wrong after all" });
  expect(await toldTo("a-0")).toMatchObject([{ target: { version: "v2" }, previous: null }]);
});

test("a rollback goes on past a device that cannot follow, and says so", async () => {
  const all = await put("line-a", "v2");
  await settle("v2", LINE_A);
  await becomes(all.id, "finished");
  const back = (await hub.call("POST", `/api/v1/deployments/${all.id}/rollback`, {})).body as unknown as Deployment;
  await end("a-0", back, { outcome: "failed", code: "DISK_FULL", message: "full" }, "v2");
  expect((await toldTo("a-1"))?.[0]).toMatchObject({ paused: false, target: { version: "v1" } });
  await settle("v1", LINE_A.slice(1));
  expect((await becomes(back.id, "finished")).state_reason).toBe("3 of 4 reachable devices run it; 1 did not keep it");
  // And whoever failed may try again, although it has ended.
  expect((await hub.call("POST", `/api/v1/deployments/${back.id}/retry`, {})).body).toMatchObject({ state: "running" });
  await settle("v1", ["a-0"]);
  expect((await becomes(back.id, "finished")).state_reason).toBe("All 4 reachable devices run it");
});

test("a deployment that is going back can be stopped", async () => {
  const bad = await put("line-a", "v2");
  await settle("v2", LINE_A);
  await hub.call("POST", `/api/v1/deployments/${bad.id}/rollback`, {});
  expect((await read(bad.id)).state).toBe("rolling-back");
  expect((await hub.call("POST", `/api/v1/deployments/${bad.id}/abort`, {})).body).toMatchObject({ state: "aborted" });
});
