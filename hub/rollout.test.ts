// Deploying through the API with devices that report: pilots, gates, halts, rollbacks, and two engineers at once.
import { Assignment, Manifest, peekPayload, type Envelope } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, until, type TestDevice, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
let devices: TestDevice[];
beforeEach(async () => {
  hub = await openTestHub();
  for (const version of ["v1", "v2", "v3"]) await hub.register(version, { accuracy: version === "v1" ? 0.8 : 0.9 });
  devices = [];
  for (const [index, group] of ["pilot", "pilot", "line", "line"].entries())
    devices.push(await hub.enroll(`edge-00${index + 1}`, group));
  await hub.call("POST", "/mlops/models/v1/deploy-all", { override: { reason: "first start" } });
  for (const device of devices) await device.report("v1");
});
afterEach(() => hub.close());

const deployment = async (id: unknown) => (await hub.call("GET", `/api/v1/deployments/${String(id)}`)).body;
const stateOf = async (id: unknown) => (await deployment(id))["state"];
const targetOf = async (group: string) =>
  ((await hub.call("GET", `/api/v1/groups/${group}`)).body["targets"] as Record<string, { version: string }>)["default"]
    ?.version;
async function pilot(version: string, ids = ["edge-001", "edge-002"]): Promise<string> {
  const { body } = await hub.call("POST", `/mlops/models/${version}/deploy-pilot`, { pilot_device_ids: ids });
  return String(body["deployment_id"]);
}
const ended = (id: string, outcome: "committed" | "rolled-back", code = "OK") => ({ deployment_id: id, outcome, code });

test("a pilot that commits is watched, passes its gate and goes to all", async () => {
  const id = await pilot("v2");
  expect(await stateOf(id)).toBe("running");
  for (const device of devices.slice(0, 2)) await device.report("v2", ended(id, "committed"));
  await until(async () => (await stateOf(id)) === "awaiting-approval");
  const all = await hub.call("POST", "/mlops/models/v2/deploy-all", {});
  expect(all.status).toBe(200);
  expect(await deployment(id)).toMatchObject({ state: "finished", state_reason: "Went on to all groups" });
  for (const device of devices.slice(2)) await device.report("v2");
  await until(async () => (await stateOf(all.body["deployment_id"])) === "finished");
});

test("an outcome alone does not count: the device must report that it runs the version", async () => {
  const id = await pilot("v2");
  for (const device of devices.slice(0, 2)) await device.report("v1", ended(id, "committed"));
  expect((await deployment(id))["progress"]).toMatchObject({ committed: 0, pending: 2 });
});

test("a pilot that rolls back halts, names the cause, and its version goes nowhere else", async () => {
  const id = await pilot("v2");
  for (const device of devices.slice(0, 2))
    await device.report("v1", {
      ...ended(id, "rolled-back", "LATENCY_OVER_BASELINE"),
      version: "v2",
      message: "p95 was 90 ms",
    });
  const halted = await until(async () => {
    const now = await deployment(id);
    return now["state"] === "paused" && String(now["state_reason"]).includes("2 of 2") && now;
  });
  expect(halted["state_reason"]).toMatch(/LATENCY_OVER_BASELINE.*p95 was 90 ms/);
  const refused = await hub.call("POST", "/mlops/models/v2/deploy-all", {});
  expect(refused.body).toMatchObject({ status: 409, code: "GATE_NOT_MET" });

  // What comes after a version that never settled goes back to the one before it.
  const next = await pilot("v3");
  expect((await deployment(next))["previous"]).toEqual({ pilot: "v1" });
  expect(await stateOf(id)).toBe("aborted");
});

test("a retry makes failed devices try again, and a success then counts", async () => {
  const id = await pilot("v2");
  for (const device of devices.slice(0, 2))
    await device.report("v1", { ...ended(id, "rolled-back", "NOT_READY"), version: "v2" });
  await until(async () => (await stateOf(id)) === "paused");
  await hub.call("POST", `/api/v1/deployments/${id}/retry`, {});
  expect(await deployment(id)).toMatchObject({ state: "running", progress: { pending: 2, rolled_back: 0 } });
  for (const device of devices.slice(0, 2)) await device.report("v2", ended(id, "committed"));
  await until(async () => (await stateOf(id)) === "awaiting-approval");
});

test("the pilot group is exactly the devices that were named, and whoever leaves goes home", async () => {
  await pilot("v2", ["edge-003"]);
  const groupOf = async (id: string) => (await hub.call("GET", `/api/v1/devices/${id}`)).body["group"];
  expect(await Promise.all(["edge-001", "edge-002", "edge-003"].map(groupOf))).toEqual(["default", "default", "pilot"]);
  await pilot("v2", ["edge-001"]);
  expect(await groupOf("edge-003")).toBe("line");
});

test("rolling a deployment back restores each group's own earlier target", async () => {
  const line = (await hub.call("PUT", "/api/v1/groups/line/target", { version: "v2" })).body["id"];
  for (const device of devices.slice(2)) await device.report("v2");
  await until(async () => (await stateOf(line)) === "finished");
  const { body } = await hub.call("POST", "/mlops/models/v3/deploy-all", { override: { reason: "both at once" } });
  const back = await hub.call("POST", `/api/v1/deployments/${String(body["deployment_id"])}/rollback`, {});
  expect(back.status).toBe(200);
  expect(await targetOf("pilot")).toBe("v1");
  expect(await targetOf("line")).toBe("v2");
  for (const device of devices.slice(0, 2)) await device.report("v1");
  await until(async () => (await stateOf(body["deployment_id"])) === "rolled-back");
});

test("of two engineers who deploy to one group at once, one wins and the other gets 409", async () => {
  const put = (version: string) => hub.call("PUT", "/api/v1/groups/line/target", { version });
  const answers = await Promise.all([put("v2"), put("v3")]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: "CONFLICT" });
});

test("a device reports only for itself, and a hundred copies of a report have one effect", async () => {
  const [first] = devices;
  const id = await pilot("v2");
  const payload = {
    device: "edge-001",
    outbox: crypto.randomUUID(),
    observed: null,
    outcomes: [
      {
        number: 1,
        report: {
          model: "default",
          version: "v2",
          digest: "a".repeat(64),
          deployment_id: id,
          outcome: "failed",
          code: "NO_SPACE",
          message: "full",
          at: new Date().toISOString(),
        },
      },
    ],
  };
  const send = (body: object) =>
    hub.app.inject({ method: "POST", url: "/device/v1/reports", headers: first?.headers ?? {}, payload: body });
  const answers = await Promise.all(Array.from({ length: 100 }, () => send(payload)));
  expect(new Set(answers.map((answer) => answer.body))).toEqual(new Set(['{"accepted_through":1}']));
  const outcomes = (await hub.call("GET", "/api/v1/devices/edge-001/outcomes")).body["items"];
  expect(outcomes).toHaveLength(1);
  expect((await send({ ...payload, device: "edge-002" })).statusCode).toBe(403);
});

test("a poll with the present ETag is answered by 304, and at once when the target changes", async () => {
  const headers = devices[2]?.headers ?? { authorization: "" };
  const first = await hub.app.inject({ url: "/device/v1/manifest", headers });
  const etag = String(first.headers["etag"]);
  expect(peekPayload(first.json<Envelope>(), Manifest)?.models[0]?.target.version).toBe("v1");
  expect(
    (await hub.app.inject({ url: "/device/v1/manifest", headers: { ...headers, "if-none-match": etag } })).statusCode,
  ).toBe(304);

  const held = hub.app.inject({
    url: "/device/v1/manifest",
    headers: { ...headers, "if-none-match": etag, prefer: "wait=30" },
  });
  await until(async () => hub.hub.presence.isOnline("edge-003"));
  await hub.call("PUT", "/api/v1/groups/line/target", { version: "v2" });
  const answered = await held;
  expect(answered.statusCode).toBe(200);
  const [before, after] = [first, answered].map((answer) => peekPayload(answer.json<Envelope>(), Manifest));
  expect(after?.models[0]?.target.version).toBe("v2");
  expect(after?.sequence).toBeGreaterThan(before?.sequence ?? Infinity);
});

test("labels count once and give the pilot its rates", async () => {
  await pilot("v2");
  const outcomes = Array.from({ length: 40 }, (_, index) => ({
    device_id: "edge-001",
    prediction_id: `p${index}`,
    predicted: index < 4 ? "hot" : "normal",
    actual: "normal",
    at: "2026-01-01T00:00:00Z",
  }));
  expect((await hub.call("POST", "/mlops/deployment/v2/outcomes", { outcomes })).body).toEqual({
    accepted: 40,
    duplicates: 0,
  });
  expect((await hub.call("POST", "/mlops/deployment/v2/outcomes", { outcomes })).body).toEqual({
    accepted: 0,
    duplicates: 40,
  });
  const metrics = (await hub.call("GET", "/mlops/deployment/v2/metrics")).body;
  expect(metrics).toMatchObject({
    labelled_total: 40,
    accuracy_validated: 0.9,
    false_positive_rate: 0.1,
    false_negative_rate: null,
  });
});

test("a hold by an engineer reaches the device in a newer assignment, with its reason, and can be ended", async () => {
  const device = devices[2];
  if (!device) throw new Error("no third device");
  const assignment = async () => {
    const answer = await hub.app.inject({ url: "/device/v1/assignment", headers: device.headers });
    return peekPayload(answer.json<Envelope>(), Assignment);
  };
  const before = await assignment();
  const held = await hub.call("PATCH", "/api/v1/devices/edge-003", { hold: { hours: 4, reason: "line is running" } });
  expect(held).toMatchObject({ status: 200, body: { hold: { reason: "line is running" } } });
  const during = await assignment();
  expect(during?.sequence).toBeGreaterThan(before?.sequence ?? 0);
  expect(during?.hold).toEqual(held.body["hold"]);
  expect((await hub.call("PATCH", "/api/v1/devices/edge-003", { hold: null })).body["hold"]).toBeNull();
  const after = await assignment();
  expect(after).toMatchObject({ hold: null, group: before?.group });
  expect(after?.sequence).toBeGreaterThan(during?.sequence ?? 0);
  const kinds = ((await hub.call("GET", "/api/v1/audit")).body["items"] as { kind: string }[]).map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(["device.held", "device.released"]));
});

test("a hold that has ended is not shown any more", async () => {
  const instant = { hours: 1e-9, reason: "for a moment" };
  expect((await hub.call("PATCH", "/api/v1/devices/edge-003", { hold: instant })).body["hold"]).toBeNull();
});

test.each([[{}], [{ hold: { hours: 0, reason: "none" } }], [{ hold: { hours: 4, reason: " " } }]])(
  "a change of a device that says %j is refused",
  async (payload) => {
    expect(await hub.call("PATCH", "/api/v1/devices/edge-003", payload)).toMatchObject({
      status: 400,
      body: { code: "BAD_REQUEST" },
    });
  },
);
