// A pinned device stays on its version whatever its group and the whole fleet do, and goes back where it came from.
import { Assignment, type Deployment, type Device, type Envelope, peekPayload } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, until, type TestDevice, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
let devices: TestDevice[];
beforeEach(async () => {
  hub = await openTestHub();
  for (const version of ["v1", "v2"]) await hub.register(version);
  devices = [await hub.enroll("edge-1", "line"), await hub.enroll("edge-2", "line")];
  await hub.call("POST", "/mlops/models/v1/deploy-all", { override: { reason: "first start" } });
  for (const device of devices) await device.report("v1");
});
afterEach(() => hub.close());

const pin = (version = "v1") =>
  hub.call("PUT", "/api/v1/devices/edge-1/pin", { version, reason: "a customer's reference line" });
const device = async () => (await hub.call("GET", "/api/v1/devices/edge-1")).body as unknown as Device;

test("it follows a group of one, and neither its group nor the whole fleet takes it along", async () => {
  expect(await pin()).toMatchObject({ status: 200, body: { pinned: true, home_group: "line" } });
  const answer = await hub.app.inject({ url: "/device/v1/assignment", headers: devices[0]?.headers ?? {} });
  expect(peekPayload(answer.json<Envelope>(), Assignment)?.group).toBe("pinned.edge-1");
  await hub.call("PUT", "/api/v1/groups/line/target", { version: "v2" });
  const all = await hub.call("POST", "/mlops/models/v2/deploy-all", { override: { reason: "at once" } });
  const { groups } = (await hub.call("GET", `/api/v1/deployments/${String(all.body["deployment_id"])}`))
    .body as unknown as Deployment;
  expect(groups.toSorted()).toEqual(["default", "line"]);
  expect((await device()).models["default"]?.target?.version).toBe("v1");
});

test("unpinned it goes back and follows its group again", async () => {
  await pin();
  await hub.call("PUT", "/api/v1/groups/line/target", { version: "v2" });
  expect((await hub.call("DELETE", "/api/v1/devices/edge-1/pin")).body).toMatchObject({
    pinned: false,
    group: "line",
    home_group: null,
    models: { default: { target: { version: "v2" } } },
  });
  expect(await hub.call("DELETE", "/api/v1/devices/edge-1/pin")).toMatchObject({ status: 409 });
  const told = ((await hub.call("GET", "/api/v1/audit")).body["items"] as { kind: string }[]).map(({ kind }) => kind);
  expect(told).toEqual(expect.arrayContaining(["device.pinned", "device.unpinned"]));
  const { items } = (await hub.call("GET", "/api/v1/audit?kind=group.created")).body as {
    items?: { subject: string }[];
  };
  expect(items?.map(({ subject }) => subject)).toContain("pinned.edge-1");
});

test("it can be pinned to another version, which is a deployment like any other", async () => {
  await pin("v2");
  const target = (await device()).models["default"]?.target;
  expect(target?.version).toBe("v2");
  await devices[0]?.report("v2");
  const ended = await until(async () => {
    const { body } = await hub.call("GET", `/api/v1/deployments/${target?.deployment_id ?? ""}`);
    return body["state"] === "finished" && body;
  });
  expect(ended).toMatchObject({ kind: "group", groups: ["pinned.edge-1"], reason: "a customer's reference line" });
});

test.each([
  ["an unknown version", { version: "v9", reason: "because" }, 404, "VERSION_UNKNOWN"],
  ["no reason", { version: "v1" }, 400, "BAD_REQUEST"],
])("%s is refused, and the device stays where it is", async (_title, body, status, code) => {
  expect(await hub.call("PUT", "/api/v1/devices/edge-1/pin", body)).toMatchObject({ status, body: { code } });
  expect(await device()).toMatchObject({ pinned: false, group: "line" });
});

test("it is not taken into a pilot, and nobody makes a group by the name of its own", async () => {
  await pin();
  const pilot = await hub.call("POST", "/mlops/models/v2/deploy-pilot", { pilot_device_ids: ["edge-1"] });
  expect(pilot).toMatchObject({ status: 409, body: { code: "CONFLICT" } });
  expect(await hub.call("POST", "/api/v1/groups", { name: "pinned.edge-2" })).toMatchObject({ status: 400 });
});
