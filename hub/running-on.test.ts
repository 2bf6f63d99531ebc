// How many devices run a version, also where several versions have the same bytes.
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

const runningOn = async (version: string) =>
  (await hub.call("GET", `/api/v1/models/default/versions/${version}`)).body["running_on"];

test("of two versions with the same bytes, a device runs the one it names", async () => {
  const bytes = Buffer.from("the same model");
  for (const version of ["v1", "v2"]) await hub.register(version, { bytes });
  await hub.call("POST", "/mlops/models/v2/reject", { reason: "registered twice" });
  const devices = [await hub.enroll("d1"), await hub.enroll("d2")];
  for (const device of devices) await device.report("v1");
  expect([await runningOn("v1"), await runningOn("v2")]).toEqual([2, 0]);
  await devices[0]?.report("v2");
  expect([await runningOn("v1"), await runningOn("v2")]).toEqual([1, 1]);
});

test("who has the bytes of its target already runs its target, by whatever name", async () => {
  const bytes = Buffer.from("the same model");
  for (const version of ["v1", "v2"]) await hub.register(version, { bytes });
  const device = await hub.enroll("d1", "line-a");
  await device.report("v1");
  await hub.call("PUT", "/api/v1/groups/line-a/target", { version: "v2" });
  expect([await runningOn("v1"), await runningOn("v2")]).toEqual([0, 1]);
});

test("a device that calls the file by a name the hub does not know still runs its bytes", async () => {
  const { digest } = await hub.register("v1");
  await hub.register("v2");
  const device = await hub.enroll("d1");
  const model = {
    current: { version: "v1-6f1c", digest },
    backup: null,
    current_since: null,
    attempt: null,
    waiting: null,
    last_outcome: null,
    quarantined: [],
    stats: null,
  };
  await device.report("v1", undefined, { models: { default: model } });
  expect([await runningOn("v1"), await runningOn("v2")]).toEqual([1, 0]);
});
