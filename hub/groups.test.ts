// Groups: none comes to be by a slip of the pen, and one that nobody needs any more goes without a trace in what devices are told.
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, type TestHub, until } from "./testing/test-hub.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

const create = (name: string) => hub.call("POST", "/api/v1/groups", { name });
const move = (id: string, group: string) => hub.call("PATCH", `/api/v1/devices/${id}`, { group });
const remove = (name: string) => hub.app.inject({ method: "DELETE", url: `/api/v1/groups/${name}` });
const names = async () =>
  ((await hub.call("GET", "/api/v1/groups?sort=name")).body["items"] as { name: string }[]).map(({ name }) => name);

test("a device is moved to a group that there is, and to no other", async () => {
  await hub.enroll("edge-001", "north");
  expect((await move("edge-001", "nroth")).body).toMatchObject({ status: 404, code: "GROUP_UNKNOWN" });
  expect(await names()).toEqual(["north"]);
  expect((await hub.call("GET", "/api/v1/devices/edge-001")).body).toMatchObject({ group: "north" });
  await create("south");
  expect((await move("edge-001", "south")).body).toMatchObject({ group: "south" });
});

test("a pilot may still be formed where no pilot group was made, and its devices find a home again", async () => {
  await hub.register("v1");
  for (const id of ["edge-001", "edge-002"]) await hub.enroll(id, "north");
  const pilot = (ids: string[]) => hub.call("POST", "/mlops/models/v1/deploy-pilot", { pilot_device_ids: ids });
  expect((await pilot(["edge-001"])).status).toBe(200);
  expect(await names()).toEqual(["north", "pilot"]);
  // Their home went while they were away, behind the back of whoever asks: never by the API.
  const { store } = hub.hub;
  await store.devices.assign("edge-002", { group_name: "pilot", home_group: null, assignment_sequence: Date.now() });
  await store.groups.remove("north");
  hub.hub.memory.reload();
  expect((await pilot(["edge-002"])).status).toBe(200);
  expect((await hub.call("GET", "/api/v1/devices/edge-001")).body).toMatchObject({ group: "default" });
});

test("an empty group is deleted with its targets, which is in the history, and may be made anew", async () => {
  await hub.register("v1");
  await create("north");
  const { body } = await hub.call("PUT", "/api/v1/groups/north/target", { version: "v1" });
  const state = async () => (await hub.call("GET", `/api/v1/deployments/${String(body["id"])}`)).body["state"];
  await until(async () => (await state()) === "finished");
  const first = (await hub.call("GET", "/api/v1/groups/north")).body["manifest_sequence"];
  expect((await remove("north")).statusCode).toBe(204);
  expect(await names()).toEqual([]);
  expect(await hub.hub.store.targets.list()).toEqual([]);
  expect((await hub.hub.store.events.newest(1))[0]).toMatchObject({
    kind: "group.deleted",
    actor: "local engineer",
    subject: "north",
    data: { targets: { default: "v1" } },
  });
  expect((await remove("north")).json()).toMatchObject({ status: 404, code: "GROUP_UNKNOWN" });
  expect((await hub.call("POST", `/api/v1/deployments/${String(body["id"])}/rollback`)).body).toMatchObject({
    code: "DEPLOYMENT_CLOSED",
  });
  expect((await create("north")).body).toMatchObject({ targets: {} });
  // A device that followed the former group must not take the new orders for older ones.
  expect((await hub.call("GET", "/api/v1/groups/north")).body["manifest_sequence"]).toBeGreaterThan(Number(first));
});

test("a group that is needed stays: the default, the pilot, one with devices or with an open deployment", async () => {
  await hub.register("v1");
  await hub.register("v2");
  const refused = async (name: string, words: RegExp) =>
    expect((await remove(name)).json()).toMatchObject({ status: 409, code: "CONFLICT", detail: words });
  for (const id of ["edge-001", "edge-002"]) await hub.enroll(id, "north");
  await hub.enroll("edge-003");
  await hub.call("POST", "/mlops/models/v1/deploy-pilot", { pilot_device_ids: ["edge-003"] });
  for (const name of ["default", "pilot"]) await refused(name, expect.stringMatching(/itself needs/) as RegExp);
  await refused("north", expect.stringMatching(/edge-001 and 1 more are in group north/) as RegExp);
  await create("south");
  for (const id of ["edge-001", "edge-002"]) await move(id, "south");
  await hub.call("POST", "/mlops/models/v1/deploy-pilot", { pilot_device_ids: ["edge-001", "edge-003"] });
  await move("edge-002", "north");
  await refused("south", expect.stringMatching(/edge-001 is in the pilot now and will return/) as RegExp);
  await create("west");
  const draft = await hub.call("POST", "/api/v1/deployments", { version: "v2", groups: ["west"], draft: true });
  expect(draft.status).toBe(201);
  await refused("west", expect.stringMatching(/is not over, and for group west/) as RegExp);
  await hub.call("POST", `/api/v1/deployments/${String(draft.body["id"])}/abort`, {});
  expect((await remove("west")).statusCode).toBe(204);
});

test("a device that was decommissioned holds no group, and can be let in again", async () => {
  await hub.enroll("edge-001", "north");
  await hub.call("POST", "/api/v1/devices/edge-001/decommission", { reason: "scrapped" });
  expect((await remove("north")).statusCode).toBe(204);
  await hub.call("POST", "/api/v1/devices/edge-001/readmit");
  await hub.enroll("edge-001", "north");
  expect((await hub.call("GET", "/api/v1/devices/edge-001")).body).toMatchObject({ group: "default" });
});

test("open pages are told to look again when a group goes", async () => {
  const url = await hub.listen();
  await create("north");
  const page = await fetch(`${url}/api/v1/events`);
  expect((await remove("north")).statusCode).toBe(204);
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of page.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('"type":"reset"')) break;
  }
  expect(text).toContain("group.deleted");
});
