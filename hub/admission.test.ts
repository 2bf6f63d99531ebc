// Which devices are let in and stay in: join tokens with limits, decommissioning and coming back, and no device speaking for another.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openPeopleHub, type PeopleHub } from "./testing/people-hub.ts";
import { JOIN_TOKEN, until } from "./testing/test-hub.ts";

let people: PeopleHub;
let admin: Record<string, string>;
beforeEach(async () => {
  people = await openPeopleHub();
  admin = await people.cookieOf("ada");
});
afterEach(() => people.close());

const post = async (url: string, payload?: object, headers = admin) => {
  const answer = await people.app.inject({ method: "POST", url, headers, ...(payload ? { payload } : {}) });
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
};
const get = async (url: string, headers: Record<string, string> = admin) => {
  const answer = await people.app.inject({ url, headers });
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
};
const enroll = (join_token: string, device_id: string, group?: string) =>
  post("/device/v1/enroll", { join_token, device_id, group, inventory: { agent_version: "1", arch: "arm64" } }, {});
async function joinToken(wish: object): Promise<{ secret: string; id: string }> {
  const { body } = await post("/api/v1/join-tokens", { name: "line-2-batch", ...wish });
  return { secret: String(body["secret"]), id: (body["join_token"] as { id: string }).id };
}

describe("a join token", () => {
  test("puts its devices into its group, whatever they wish, and says so in the history", async () => {
    const { secret } = await joinToken({ group: "line-2" });
    expect((await enroll(secret, "edge-100", "pilot")).body).toMatchObject({ group: "line-2" });
    const [event] = (await people.hub.store.events.newest(3)).filter(({ kind }) => kind === "device.enrolled");
    expect(event?.data).toMatchObject({ admitted_by: "join token line-2-batch" });
  });
  test("admits as many as it says, also when they come at once", async () => {
    const { secret } = await joinToken({ uses: 2 });
    const answers = await Promise.all(["a1", "a2", "a3", "a4"].map((id) => enroll(secret, id)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 201, 403, 403]);
  });
  test("admits nobody once it is revoked or has expired; the hub's own token from the file goes on", async () => {
    const revoked = await joinToken({ name: "gone" });
    await people.app.inject({ method: "DELETE", url: `/api/v1/join-tokens/${revoked.id}`, headers: admin });
    const expired = await joinToken({ name: "old", expires_days: 1e-9 });
    for (const { secret } of [revoked, expired])
      expect((await enroll(secret, "edge-101")).body).toMatchObject({ code: "JOIN_TOKEN_REFUSED" });
    expect((await enroll(JOIN_TOKEN, "edge-101")).status).toBe(201);
  });
  test("of one group does not take over a device of another by its name", async () => {
    const { secret } = await joinToken({ group: "line-2", uses: 1 });
    expect((await enroll(secret, people.device.id)).body).toMatchObject({ code: "JOIN_TOKEN_REFUSED" });
    expect((await get("/device/v1/manifest", people.device.headers)).status, "its credential is still good").toBe(200);
    expect((await enroll(secret, "edge-102")).status, "and the attempt cost no use").toBe(201);
  });
});

describe("a device that is decommissioned", () => {
  test("is told so, also in a poll it holds, leaves the lists, and no deployment waits for it", async () => {
    const { device, hub } = people;
    const other = await people.enroll("edge-002", "line-1");
    await people.register("v1", { headers: admin });
    const target = { version: "v1", reason: "start" };
    const started = await people.app.inject({
      method: "PUT",
      url: "/api/v1/groups/line-1/target",
      headers: admin,
      payload: target,
    });
    const deployment = `/api/v1/deployments/${started.json<{ id: string }>().id}`;
    await other.report("v1", { deployment_id: started.json<{ id: string }>().id });
    expect((await get(deployment)).body).toMatchObject({ progress: { total: 2 } });

    const etag = hub.publisher.current("line-1")?.etag ?? "";
    const held = get("/device/v1/manifest", { ...device.headers, prefer: "wait=30", "if-none-match": etag });
    await until(async () => hub.presence.isOnline(device.id));
    await new Promise((resolve) => setImmediate(resolve));
    expect((await post(`/api/v1/devices/${device.id}/decommission`, { reason: "worn out" })).status).toBe(200);
    expect((await held).body).toMatchObject({ status: 403, code: "DEVICE_REVOKED" });
    expect((await get("/device/v1/assignment", device.headers)).body).toMatchObject({ code: "DEVICE_REVOKED" });

    expect((await get(`/api/v1/devices/${device.id}`)).body).toMatchObject({ code: "DEVICE_UNKNOWN" });
    expect(JSON.stringify((await get("/api/v1/devices")).body)).not.toContain(device.id);
    await until(async () => (await get(deployment)).body["state"] === "finished");
    expect((await get(deployment)).body).toMatchObject({ progress: { total: 1, committed: 1 } });
  });
  test("cannot enrol again until it is readmitted, and its old credential never works again", async () => {
    const { device } = people;
    await post(`/api/v1/devices/${device.id}/decommission`, { reason: "stolen" });
    expect((await enroll(JOIN_TOKEN, device.id)).body).toMatchObject({ code: "DEVICE_REVOKED" });
    expect((await post(`/api/v1/devices/${device.id}/readmit`)).status).toBe(200);
    expect((await get("/device/v1/manifest", device.headers)).body).toMatchObject({ code: "UNAUTHENTICATED" });
    const back = await enroll(JOIN_TOKEN, device.id);
    expect(back).toMatchObject({ status: 201, body: { group: "line-1" } });
    const headers = { authorization: `Bearer ${String(back.body["credential"])}` };
    expect((await get("/device/v1/manifest", headers)).status).toBe(200);
    expect((await post(`/api/v1/devices/${device.id}/readmit`)).body).toMatchObject({ code: "CONFLICT" });
  });
  test("needs a reason, which stands in the history with the name of the admin", async () => {
    const url = `/api/v1/devices/${people.device.id}/decommission`;
    expect((await post(url, { reason: " " })).status).toBe(400);
    await post(url, { reason: "replaced by edge-003" });
    const [event] = await people.hub.store.events.newest(1);
    expect(event).toMatchObject({
      kind: "device.decommissioned",
      actor: "ada",
      data: { reason: "replaced by edge-003" },
    });
  });
});

describe("device A as device B", () => {
  test("reports nothing and reads nothing of B's", async () => {
    const b = await people.enroll("edge-b", "line-9");
    const report = { device: b.id, outbox: crypto.randomUUID(), observed: null, outcomes: [] };
    expect((await post("/device/v1/reports", report, people.device.headers)).body).toMatchObject({ code: "FORBIDDEN" });
    const payloadOf = (envelope: unknown) =>
      JSON.parse(Buffer.from((envelope as { payload: string }).payload, "base64").toString()) as object;
    const assignment = (await get("/device/v1/assignment?device=edge-b", people.device.headers)).body;
    expect(payloadOf(assignment)).toMatchObject({ device: people.device.id, group: "line-1" });
    const manifest = (await get("/device/v1/manifest?group=line-9", people.device.headers)).body;
    expect(payloadOf(manifest)).toMatchObject({ group: "line-1" });
  });
});
