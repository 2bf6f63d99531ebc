// Devices that follow numbers this hub does not remember: it goes past them as far as it dares, and says so once.
import { Assignment, type Envelope, Manifest, type Observed, peekPayload } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { REACH_MS } from "./restored.ts";
import { openTestHub, type TestDevice, type TestHub } from "./testing/test-hub.ts";

const DAY_MS = 24 * 3_600_000;
const BETWEEN_REPORTS_MS = 120_000;

let clockMs: number;
let hub: TestHub;
let device: TestDevice;
beforeEach(async () => {
  clockMs = Date.now();
  // Every report is heeded, the same one again too.
  hub = await openTestHub({ HUB_HEARTBEAT_WRITE_SECONDS: "0" }, () => clockMs);
  device = await hub.enroll("edge-001", "pilot");
  await hub.register("v1");
  await hub.call("PUT", "/api/v1/groups/pilot/target", { version: "v1" });
});
afterEach(() => hub.close());

/** What the hub offers this device now. */
async function offered({ headers }: TestDevice = device) {
  await hub.hub.publisher.refresh();
  const get = async (what: string) =>
    (await hub.app.inject({ method: "GET", url: `/device/v1/${what}`, headers })).json<Envelope>();
  return {
    manifest: peekPayload(await get("manifest"), Manifest)?.sequence ?? 0,
    assignment: peekPayload(await get("assignment"), Assignment)?.sequence ?? 0,
  };
}

/** Two minutes later. */
async function says(code: string | null, more: Partial<Observed>, one: TestDevice = device): Promise<void> {
  clockMs += BETWEEN_REPORTS_MS;
  const trouble = code === null ? null : { code, message: "not what this device follows", next_step: "" };
  await one.report("v1", undefined, { trouble, ...more });
}
const told = async (kind: string) => (await hub.hub.store.events.newest(1_000, undefined, { kind })).length;

test("a device 24 h ahead is gone past with one new number and one line in the history, however often it says so", async () => {
  const ahead = clockMs + DAY_MS;
  for (let report = 0; report < 10; report += 1) await says("MANIFEST_REPLAYED", { manifest_sequence: ahead });
  expect((await offered()).manifest).toBe(ahead + 1);
  expect(await told("manifest.outrun")).toBe(1);
  // From here the numbers go on, although the time has not come yet.
  await hub.register("v2");
  await hub.call("PUT", "/api/v1/groups/pilot/target", { version: "v2" });
  expect((await offered()).manifest).toBe(ahead + 2);
});

test("the same for an assignment, by the number that the device says", async () => {
  const ahead = clockMs + DAY_MS;
  for (let report = 0; report < 10; report += 1) await says("ASSIGNMENT_REPLAYED", { assignment_sequence: ahead });
  expect((await offered()).assignment).toBe(ahead + 1);
  expect(await told("device.reassigned")).toBe(1);
});

test("an agent that does not tell its assignment's number is given the time", async () => {
  const { assignment } = await offered();
  await says("ASSIGNMENT_REPLAYED", {});
  expect((await offered()).assignment).toBeGreaterThan(assignment);
});

test("a device that follows less than the hub offers has only not heard of it yet, or lies: nothing is issued anew", async () => {
  const before = await offered();
  await says("MANIFEST_REPLAYED", { manifest_sequence: before.manifest - 1 });
  await says("ASSIGNMENT_REPLAYED", { assignment_sequence: before.assignment });
  expect(await offered()).toEqual(before);
});

test.each([
  ["MANIFEST_REPLAYED", { manifest_sequence: Number.MAX_SAFE_INTEGER }],
  ["ASSIGNMENT_REPLAYED", { assignment_sequence: Number.MAX_SAFE_INTEGER }],
])("fast-forward: %s at 2^53-1 moves no number of the hub, and is told once", async (code, follows) => {
  const before = await offered();
  for (let report = 0; report < 5; report += 1) await says(code, follows);
  expect(await offered()).toEqual(before);
  expect(await told("device.out-of-reach")).toBe(1);
  expect(await told("manifest.outrun")).toBe(0);
});

test("one device that lies puts its group's numbers no further than the others go", async () => {
  const limit = clockMs + BETWEEN_REPORTS_MS + REACH_MS;
  await says("MANIFEST_REPLAYED", { manifest_sequence: limit + 1 });
  const before = await offered();
  expect(before.manifest).toBeLessThan(clockMs + DAY_MS);
  await says("MANIFEST_REPLAYED", { manifest_sequence: limit });
  expect((await offered()).manifest).toBe(limit + 1);
});

test("a hub whose clock was decades ahead comes back to the time when a device says it cannot follow", async () => {
  const lostMs = 3 * REACH_MS;
  clockMs += lostMs;
  await hub.register("v2");
  await hub.call("PUT", "/api/v1/groups/pilot/target", { version: "v2" });
  clockMs -= lostMs;
  // At least: the conductor looks at the first deployment at that time too, and may have renewed an expired manifest before.
  const { manifest: ahead } = await offered();
  expect(ahead).toBeGreaterThanOrEqual(clockMs + lostMs);
  // Each renewal at a standing clock is one more.
  expect(ahead).toBeLessThan(clockMs + lostMs + 100);
  const follows = clockMs;
  await says("MANIFEST_FAR_AHEAD", { manifest_sequence: follows });
  const { manifest: back } = await offered();
  expect(back).toBeGreaterThan(follows);
  expect(back).toBeLessThan(clockMs + DAY_MS);
  // Whoever says so of numbers that are in order changes nothing.
  await says("MANIFEST_FAR_AHEAD", { manifest_sequence: follows });
  expect((await offered()).manifest).toBe(back);
  expect(await told("manifest.outrun")).toBe(1);
});
