// Mender CVE-2025-49603 (a device could get what was meant for another group): files by digest are for those groups whose manifest names them.
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildApp } from "./app.ts";
import { openHub } from "./hub.ts";
import { startPostgres } from "./testing/postgres.ts";
import { openTestHub, until, type TestDevice, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
const digests = new Map<string, string>();
beforeEach(async () => {
  hub = await openTestHub();
  for (const version of ["v1", "v2", "v3", "v4"]) digests.set(version, (await hub.register(version)).digest);
});
afterEach(() => hub.close());

const target = async (group: string, version: string) => {
  const answer = await hub.call("PUT", `/api/v1/groups/${group}/target`, { version });
  expect(answer.status).toBe(200);
  return answer.body;
};
/** Until the hub counts it as something to go back to. */
async function settle(device: TestDevice, group: string, version: string) {
  const deployment_id = String((await target(group, version))["id"]);
  await device.report(version, { deployment_id });
  const state = async () => (await hub.call("GET", `/api/v1/deployments/${deployment_id}`)).body["state"];
  await until(async () => (await state()) === "finished");
}
async function fetchFrom(app: TestHub["app"], { headers }: TestDevice, version: string, more = {}) {
  const url = `/device/v1/artifacts/${digests.get(version)}`;
  const answer = await app.inject({ url, headers: { ...headers, ...more } });
  return answer.statusCode < 300 ? answer.body : answer.json<{ code: string }>().code;
}
const fetchIt = (device: TestDevice, version: string, more = {}) => fetchFrom(hub.app, device, version, more);

describe("CVE-2025-49603 of Mender: a device", () => {
  test("gets what its group is to run and what it would go back to, whole or in part, and nothing that is another group's", async () => {
    const [ours, theirs] = [await hub.enroll("edge-001", "line-1"), await hub.enroll("edge-002", "line-2")];
    await settle(ours, "line-1", "v1");
    await target("line-1", "v2");
    await target("line-2", "v3");
    expect([await fetchIt(ours, "v1"), await fetchIt(ours, "v2")]).toEqual(["model v1", "model v2"]);
    expect(await fetchIt(ours, "v2", { range: "bytes=6-" })).toBe("v2");
    expect(await fetchIt(theirs, "v3")).toBe("model v3");
    for (const [device, version] of [
      [ours, "v3"],
      [theirs, "v1"],
      [theirs, "v2"],
      [ours, "v4"],
    ] as const)
      expect(await fetchIt(device, version), `${device.id} ${version}`).toBe("ARTIFACT_MISSING");
    const there = await hub.app.inject({ url: `/device/v1/artifacts/${digests.get("v3")}`, headers: ours.headers });
    const nowhere = await hub.app.inject({ url: `/device/v1/artifacts/${"0".repeat(64)}`, headers: ours.headers });
    const words = (body: string) => body.replaceAll(/[0-9a-f]{64}/g, "DIGEST");
    expect(words(there.body), "not even whether it exists").toBe(words(nowhere.body));
  });

  test("does not widen this by saying that it runs, keeps or tried something else", async () => {
    const device = await hub.enroll("edge-001", "line-1");
    await target("line-1", "v1");
    await device.report("v4", { version: "v4", deployment_id: "dep-of-another-line" });
    expect(await fetchIt(device, "v4")).toBe("ARTIFACT_MISSING");
  });

  test("that is moved gets its new group's files at once, and its old group's no more", async () => {
    const device = await hub.enroll("edge-001", "line-1");
    await hub.enroll("edge-002", "line-2");
    await target("line-1", "v1");
    await target("line-2", "v2");
    expect(await fetchIt(device, "v1")).toBe("model v1");
    await hub.call("PATCH", "/api/v1/devices/edge-001", { group: "line-2" });
    expect([await fetchIt(device, "v2"), await fetchIt(device, "v1")]).toEqual(["model v2", "ARTIFACT_MISSING"]);
  });

  test("gets what it needs in a rollback, a retry and a pause, and after the hub was started anew", async () => {
    const device = await hub.enroll("edge-001", "line-1");
    await hub.listen();
    await settle(device, "line-1", "v1");
    const deployment = String((await target("line-1", "v2"))["id"]);
    await hub.call("POST", `/api/v1/deployments/${deployment}/pause`, { reason: "to look" });
    expect([await fetchIt(device, "v1"), await fetchIt(device, "v2")]).toEqual(["model v1", "model v2"]);
    await hub.restart();
    expect([await fetchIt(device, "v1"), await fetchIt(device, "v2")]).toEqual(["model v1", "model v2"]);
    const retried = await hub.call("POST", `/api/v1/deployments/${deployment}/retry`, {});
    expect(retried.status, JSON.stringify(retried.body)).toBe(200);
    expect(await fetchIt(device, "v2")).toBe("model v2");
    expect((await hub.call("POST", `/api/v1/deployments/${deployment}/rollback`, { reason: "no" })).status).toBe(200);
    expect(await fetchIt(device, "v1")).toBe("model v1");
  });
});

const postgres = await startPostgres();
afterAll(() => postgres?.close());

test.skipIf(postgres === null)(
  "CVE-2025-49603 of Mender: who was told of new orders by one hub gets the file from another that has not heard of them yet",
  async () => {
    await hub.close();
    hub = await openTestHub({ DATABASE_URL: (await postgres?.database()) ?? "" });
    for (const version of ["v1", "v2", "v3", "v4"]) digests.set(version, (await hub.register(version)).digest);
    const device = await hub.enroll("edge-001", "line-1");
    const other = await openHub(hub.hub.config);
    const app = await buildApp(other);
    await hub.enroll("edge-002", "line-2");
    await target("line-2", "v3");
    // Often enough that word between the two cannot have come first every time.
    for (const version of ["v1", "v2", "v1", "v2"]) {
      await target("line-1", version);
      expect(await fetchFrom(app, device, version)).toBe(`model ${version}`);
    }
    await hub.call("PATCH", "/api/v1/devices/edge-001", { group: "line-2" });
    expect(await fetchFrom(app, device, "v3")).toBe("model v3");
    expect(await fetchFrom(app, device, "v4")).toBe("ARTIFACT_MISSING");
    await app.close();
    await other.close();
  },
);
