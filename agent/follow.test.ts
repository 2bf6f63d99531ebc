// Following the hub: manifests that change in the middle, groups, outages, forgotten devices and forged documents.
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeModel } from "./testing/fake-model.ts";
import { QUICK_POLICY, sealManifest, targetOf, testKey } from "./testing/signing.ts";
import { eventually, type TestDevice, testDevice } from "./testing/test-device.ts";

const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" });
const other = fakeModel({ version: "v2.5" });

let device: TestDevice;
beforeEach(async () => {
  device = await testDevice();
  device.hub.offer(good);
  await device.once();
});
afterEach(() => device.close());

const committed = () => device.hub.outcomes.filter((one) => one.outcome === "committed").map((one) => one.version);

test("fault 39: a manifest that changes during a download stops it, and the new one is followed", async () => {
  const running = await device.start();
  try {
    let isHeld = false;
    device.hub.intercept((request) => {
      if (request.url?.endsWith(better.digest) !== true) return false;
      isHeld = true;
      return true;
    });
    device.hub.offer(better);
    await eventually("the download hangs", () => isHeld);
    device.hub.offer(other);
    await eventually("the other version is committed", () => committed().includes("v2.5"));
    expect(device.hub.outcomes.some((one) => one.version === "v2.1")).toBe(false);
    expect(await device.backup()).toBe("model-v2.0.onnx");
  } finally {
    await running.stop();
  }
});

test("fault 38: a manifest that changes in mid-swap waits until the swap is finished", async () => {
  const running = await device.start();
  try {
    device.hub.offer(better, { policy: { ...QUICK_POLICY, soak_ms: 600 } });
    await eventually("it soaks", () => device.hub.observed.at(-1)?.phase === "soaking");
    device.hub.offer(other);
    await eventually("both are committed, one after the other", () => committed().includes("v2.5"));
    expect(committed()).toEqual(["v2.0", "v2.1", "v2.5"]);
  } finally {
    await running.stop();
  }
});

test("every phase of an installation is told to the hub, in order", async () => {
  const running = await device.start();
  try {
    device.hub.offer(better, { policy: { ...QUICK_POLICY, soak_ms: 400 } });
    await eventually("it is committed", () => committed().includes("v2.1"));
    const seen = device.hub.observed.flatMap((one) => one.models["default"]?.attempt ?? []);
    const longest = seen.toSorted((a, b) => b.steps.length - a.steps.length)[0];
    expect(longest?.steps.map((step) => step.phase)).toEqual([
      "downloading",
      "verifying",
      "activating",
      "probing",
      "soaking",
    ]);
  } finally {
    await running.stop();
  }
});

test("the answers counted for a model do not include the agent's own questions", async () => {
  const running = await device.start();
  try {
    await eventually("counters are told", () => device.hub.observed.at(-1)?.models["default"]?.stats !== undefined);
    device.hub.offer(better);
    await eventually("it is committed", () => committed().includes("v2.1"));
    await eventually(
      "its counters are told",
      () => device.hub.observed.at(-1)?.models["default"]?.stats?.digest === better.digest,
    );
    expect(device.hub.observed.at(-1)?.models["default"]?.stats).toMatchObject({ predictions: 0, errors: 0 });
  } finally {
    await running.stop();
  }
});

test("fault 36: a forged or replayed manifest is refused aloud and changes nothing", async () => {
  const running = await device.start();
  try {
    device.hub.publish(sealManifest(99, [targetOf(better, device.hub.releaseKey)], testKey()));
    await eventually("the refusal is told", () => device.hub.observed.at(-1)?.trouble?.code === "KEY_UNKNOWN");
    device.hub.publish(sealManifest(1, [targetOf(better, device.hub.releaseKey)], device.hub.hubKey));
    await eventually("the replay is told", () => device.hub.observed.at(-1)?.trouble?.code === "MANIFEST_REPLAYED");
    expect(await device.current()).toBe("model-v2.0.onnx");
    device.hub.offer(better);
    await eventually("a good manifest is followed again", () => committed().includes("v2.1"));
    await eventually("and the trouble is over", () => device.hub.observed.at(-1)?.trouble === null);
  } finally {
    await running.stop();
  }
});

test("the hub's key alone cannot make a device run a file", async () => {
  device.hub.offer(better, targetOf(better, testKey()));
  await device.once();
  expect(device.hub.outcomes.at(-1)).toMatchObject({ outcome: "rejected", code: "KEY_UNKNOWN", version: "v2.1" });
  expect(device.hub.fetches).toHaveLength(1);
});

test("fault 53: an outcome made while the hub takes no reports is told later, once", async () => {
  device.hub.intercept((request, response) => {
    if (request.url !== "/device/v1/reports") return false;
    response.writeHead(503, { "retry-after": "0" }).end();
    return true;
  });
  device.hub.offer(better);
  expect(await device.once()).toBe(false);
  expect(await device.current()).toBe("model-v2.1.onnx");
  expect(committed()).toEqual(["v2.0"]);
  device.hub.intercept(null);
  expect(await device.once()).toBe(true);
  expect(committed()).toEqual(["v2.0", "v2.1"]);
});

test("a hub that forgot the device gets it enrolled again", async () => {
  let refusals = 0;
  device.hub.intercept((request, response) => {
    if (request.url !== "/device/v1/manifest" || refusals > 0) return false;
    refusals += 1;
    response.writeHead(401).end();
    return true;
  });
  device.hub.offer(better);
  expect(await device.once()).toBe(false);
  expect(await device.once()).toBe(true);
  expect(committed()).toEqual(["v2.0", "v2.1"]);
});

test("without a hub what runs goes on running, and the first poll after an outage brings the news", async () => {
  const running = await device.start();
  try {
    device.hub.intercept((request) => {
      request.socket.destroy();
      return true;
    });
    await eventually("the outage is noticed", () => running.agent.link.state === "failing");
    expect(device.inference.served()).toBe(good.digest);
    device.hub.intercept(null);
    device.hub.offer(better);
    await eventually("the news is followed", () => committed().includes("v2.1"));
  } finally {
    await running.stop();
  }
});

test("a new device enrols once, though poll and report begin at the same time", async () => {
  const fresh = await testDevice();
  let enrolments = 0;
  fresh.hub.intercept((request) => {
    enrolments += request.url === "/device/v1/enroll" ? 1 : 0;
    return false;
  });
  const running = await fresh.start();
  try {
    await eventually("the device is heard of", () => fresh.hub.observed.length > 0);
    expect(enrolments).toBe(1);
  } finally {
    await running.stop();
    await fresh.close();
  }
});

test("the first report after a start says what runs", async () => {
  const told = device.hub.observed.length;
  const running = await device.start();
  try {
    await eventually("the device is heard of", () => device.hub.observed.length > told);
    expect(device.hub.observed[told]?.models["default"]?.current?.version).toBe("v2.0");
  } finally {
    await running.stop();
  }
});
