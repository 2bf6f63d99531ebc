// A device that stays away is told of once, whatever restarts meanwhile, and again when it was back and left again.
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, type TestHub } from "../testing/test-hub.ts";
import { tellAbsences } from "./absences.ts";

// After the real enrolment, which is a sighting as well.
const AT = "2126-01-01T00:00:00.000Z";
let testHub: TestHub;
const seen = new Map<string, string>();
let nowMs: number;

beforeEach(async () => {
  testHub = await openTestHub();
  await testHub.hub.courier.stop();
  for (const id of ["edge-1", "edge-2"]) await testHub.enroll(id);
  seen.clear();
  for (const id of ["edge-1", "edge-2"]) seen.set(id, AT);
  nowMs = Date.parse(AT);
});
afterEach(() => testHub.close());

async function look(afterSeconds: number): Promise<string[]> {
  nowMs = Date.parse(AT) + afterSeconds * 1_000;
  const { store, changes } = testHub.hub;
  const before = await store.events.lastId();
  await tellAbsences({
    store,
    fleet: () => testHub.hub.fleet(),
    changes,
    presence: {
      isOnline: (id) => nowMs - Date.parse(seen.get(id) ?? AT) < 90_000,
      lastSeen: (id) => seen.get(id) ?? null,
    },
    offlineAfterSeconds: 600,
    now: () => nowMs,
  });
  const events = await store.events.after(before, 100);
  return events
    .filter(({ kind }) => kind === "device.offline")
    .map(({ subject, data }) => `${subject}/${String(data["limit_seconds"])}`);
}

test("is told when the limit has passed, and only once", async () => {
  expect(await look(599)).toEqual([]);
  expect(await look(600)).toEqual(["edge-1/600", "edge-2/600"]);
  expect(await look(900)).toEqual([]);
  // After a restart the stored sighting may be older than the one that was told.
  seen.set("edge-1", "2125-12-31T23:59:00.000Z");
  expect(await look(1_000)).toEqual([]);
});

test("is told again of the next absence", async () => {
  await look(700);
  seen.set("edge-1", new Date(Date.parse(AT) + 800_000).toISOString());
  expect(await look(810)).toEqual([]);
  expect(await look(2_000)).toEqual(["edge-1/600"]);
});

test("is told by each hook's own limit", async () => {
  await testHub.call("POST", "/api/v1/webhooks", { url: "http://127.0.0.1:9/", offline_after_seconds: 3_600 });
  expect(await look(700)).toEqual(["edge-1/600", "edge-2/600"]);
  expect(await look(3_700)).toEqual(["edge-1/3600", "edge-2/3600"]);
});

test("a site that loses its network is one piece of news", async () => {
  for (let index = 10; index < 40; index += 1) await testHub.enroll(`edge-${index}`);
  for (let index = 10; index < 40; index += 1) seen.set(`edge-${index}`, AT);
  expect(await look(700)).toEqual(["32 devices/600"]);
});
