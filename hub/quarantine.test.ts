// Fleet-wide quarantine through the API: enough devices, everything halts, nothing under another name, lifted with a reason.
import { Manifest, peekPayload, type Deployment, type Envelope } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, until, type TestDevice, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
let devices: TestDevice[];
let digest: string;
beforeEach(async () => {
  hub = await openTestHub();
  await hub.register("v1");
  ({ digest } = await hub.register("v2"));
  devices = [];
  for (const group of ["line-a", "line-a", "line-b", "line-b"])
    devices.push(await hub.enroll(`edge-${devices.length}`, group));
  await hub.call("POST", "/mlops/models/v1/deploy-all", { override: { reason: "first start" } });
  for (const device of devices) await device.report("v1");
});
afterEach(() => hub.close());

const deploy = async (group: string) =>
  (await hub.call("PUT", `/api/v1/groups/${group}/target`, { version: "v2" })).body as unknown as Deployment;
const stageOf = async (version: string) =>
  (await hub.call("GET", `/api/v1/models/default/versions/${version}`)).body["stage"];
async function rollBack(device: TestDevice | undefined, deployment_id: string, code = "GOLDEN_MISMATCH") {
  const at = new Date().toISOString();
  await device?.report("v1", { deployment_id, version: "v2", digest, outcome: "rolled-back", code, at });
}
async function toldTo(device: TestDevice | undefined) {
  const answer = await hub.app.inject({ url: "/device/v1/manifest", headers: device?.headers ?? {} });
  return peekPayload(answer.json<Envelope>(), Manifest)?.models[0];
}

test("two devices that roll a file back put it out for the whole fleet, and other groups are stopped and told", async () => {
  const first = await deploy("line-a");
  const second = await deploy("line-b");
  await rollBack(devices[0], first.id);
  expect(await stageOf("v2")).toBe("approved");
  await rollBack(devices[1], first.id);
  await until(async () => (await stageOf("v2")) === "quarantined");
  const other = await until(async () => {
    const { body } = await hub.call("GET", `/api/v1/deployments/${second.id}`);
    return body["state"] === "paused" && body;
  });
  expect(other["state_reason"]).toMatch(/v2 is quarantined/);
  expect(await toldTo(devices[2])).toMatchObject({ paused: true, target: { version: "v2" } });
  const { items } = (await hub.call("GET", "/api/v1/quarantines")).body as { items: unknown[] };
  expect(items).toMatchObject([{ digest, version: "v2", devices: ["edge-0", "edge-1"], lifted_at: null }]);
  const told = (await hub.call("GET", "/api/v1/audit")).body["items"] as { kind: string; summary: string }[];
  expect(told.find(({ kind }) => kind === "quarantine.added")?.summary).toMatch(/line-a, line-b/);
});

test("the same bytes under another name are refused, and so is deploying or resuming them", async () => {
  const made = await deploy("line-a");
  await hub.call("POST", "/api/v1/quarantines", { version: "v2", reason: "smells of burnt plastic" });
  expect(await hub.register("v2-again", { bytes: Buffer.from("model v2") })).toMatchObject({
    status: 409,
    body: { code: "QUARANTINED" },
  });
  expect(await hub.call("PUT", "/api/v1/groups/line-b/target", { version: "v2" })).toMatchObject({
    status: 409,
    body: { code: "QUARANTINED" },
  });
  await until(async () => (await hub.call("GET", `/api/v1/deployments/${made.id}`)).body["state"] === "paused");
  expect(await hub.call("POST", `/api/v1/deployments/${made.id}/resume`)).toMatchObject({ status: 409 });
});

test("lifting it needs a reason, brings the version back, and what was counted does not count again", async () => {
  const made = await deploy("line-a");
  for (const device of devices.slice(0, 2)) await rollBack(device, made.id);
  await until(async () => (await stageOf("v2")) === "quarantined");
  const lift = (body: object) => hub.call("POST", `/api/v1/quarantines/${digest}/lift`, body);
  expect(await lift({ reason: " " })).toMatchObject({ status: 400 });
  expect(await lift({ reason: "the golden samples were wrong" })).toMatchObject({ status: 200 });
  expect(await stageOf("v2")).toBe("approved");
  expect((await hub.call("POST", `/api/v1/deployments/${made.id}/retry`)).body).toMatchObject({ state: "running" });
  await rollBack(devices[0], made.id);
  await until(async () => (await hub.call("GET", `/api/v1/deployments/${made.id}`)).body["state"] === "paused");
  expect(await stageOf("v2")).toBe("approved");
  expect(await lift({ reason: "once more" })).toMatchObject({ status: 404 });
});

test("what says nothing of the file puts nothing out", async () => {
  const made = await deploy("line-a");
  for (const device of devices.slice(0, 2)) await rollBack(device, made.id, "ROLLED_BACK_BY_HAND");
  await until(async () => (await hub.call("GET", `/api/v1/deployments/${made.id}`)).body["state"] === "paused");
  expect(await stageOf("v2")).toBe("approved");
});
