// Rollback of a release: whoever has the hub's key can bring back what the release key once signed, unless the release key forbade it.
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakeModel, fakeModel } from "./testing/fake-model.ts";
import { sealStatement } from "./testing/signing.ts";
import { type TestDevice, testDevice } from "./testing/test-device.ts";

const bad = fakeModel({ version: "v1.9" });
const good = fakeModel({ version: "v2.0" });
const mended = fakeModel({ version: "v2.1" });
const wrong = fakeModel({ version: "v2.2", factor: 3 });

let device: TestDevice;
beforeEach(async () => {
  device = await testDevice();
});
afterEach(() => device.close());

/** The hub orders it, as a new deployment: its own key suffices for that. */
async function ordered(model: FakeModel, release: number, minimum_release?: number): Promise<boolean> {
  const numbers = { release, ...(minimum_release === undefined ? {} : { minimum_release }) };
  const statement = sealStatement(model, device.hub.releaseKey, numbers);
  device.hub.offer(model, { deployment_id: `d-${crypto.randomUUID()}`, target: { version: model.version, statement } });
  return device.once();
}
const last = () => device.hub.outcomes.at(-1);

test("the hub's key alone does not bring back a signed release that the release key has left behind", async () => {
  expect(await ordered(bad, 5)).toBe(true);
  expect(await ordered(good, 6)).toBe(true);
  expect(await ordered(mended, 7, 6)).toBe(true);
  expect(await ordered(bad, 5)).toBe(false);
  expect(last()).toMatchObject({ outcome: "rejected", code: "RELEASE_BELOW_MINIMUM", version: "v1.9" });
  expect(last()?.message).toMatch(/v1\.9 is release 5; v2\.1 allows nothing below 6/);
  expect(device.inference.served()).toBe(mended.digest);
  expect(device.hub.fetches).toHaveLength(3);
  // As another deployment, and as what devices outside a wave keep.
  const told = device.hub.outcomes.length;
  await ordered(bad, 5);
  const previous = { version: bad.version, statement: sealStatement(bad, device.hub.releaseKey, { release: 5 }) };
  device.hub.offer(wrong, { deployment_id: "a-wave", share: 0, previous });
  await device.once();
  expect(device.hub.outcomes.slice(told).map(({ code }) => code)).toEqual([
    "RELEASE_BELOW_MINIMUM",
    "RELEASE_BELOW_MINIMUM",
  ]);
  expect(device.inference.served()).toBe(mended.digest);
});

test("a legal rollback stays possible: down to the least release that is allowed", async () => {
  await ordered(good, 6);
  await ordered(mended, 7, 6);
  expect(await ordered(good, 6)).toBe(true);
  expect(device.inference.served()).toBe(good.digest);
  // Going back does not lower what v2.1 said.
  await ordered(bad, 5);
  expect(last()).toMatchObject({ code: "RELEASE_BELOW_MINIMUM" });
});

test("where no statement names a minimum, lower releases are installed as ever", async () => {
  await ordered(mended, 7);
  expect(await ordered(bad, 5)).toBe(true);
  expect(device.inference.served()).toBe(bad.digest);
});

test("a version that does not prove itself forbids nothing: the way back from it is free, also for the hub", async () => {
  await ordered(good, 6);
  await ordered(wrong, 8, 8);
  expect(last()).toMatchObject({ outcome: "rolled-back", code: "GOLDEN_MISMATCH" });
  expect(device.inference.served()).toBe(good.digest);
  expect(await ordered(bad, 5)).toBe(true);
});

test("a person at the device may still put the backup back, whatever its release", async () => {
  await ordered(good, 6);
  await ordered(mended, 7, 7);
  const running = await device.start();
  try {
    await running.agent.workers();
    expect(await running.agent.actions.rollback("default")).toBe(null);
  } finally {
    await running.stop();
  }
  await device.once();
  expect(device.inference.served()).toBe(good.digest);
});

test("forgetting the hub's numbers does not forget what may not come back", async () => {
  await ordered(good, 6);
  await ordered(mended, 7, 7);
  const running = await device.start();
  await running.agent.documents.forget();
  await running.stop();
  await ordered(good, 6);
  expect(last()).toMatchObject({ code: "RELEASE_BELOW_MINIMUM", version: "v2.0" });
  expect(device.inference.served()).toBe(mended.digest);
});
