// Whole transactions on a real directory against a fake hub and a fake service: what is served, what is told, what is remembered.
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeModel } from "./testing/fake-model.ts";
import { QUICK_POLICY } from "./testing/signing.ts";
import { eventually, type TestDevice, testDevice } from "./testing/test-device.ts";

const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" });
const slow = fakeModel({ version: "v2.2", latencyMs: 90 });
const wrong = fakeModel({ version: "v2.3", factor: 3 });

let device: TestDevice;
beforeEach(async () => {
  device = await testDevice();
});
afterEach(() => device.close());

const last = () => device.hub.outcomes.at(-1);

async function install(model = good) {
  device.hub.offer(model);
  expect(await device.once()).toBe(true);
}

test("a first version is installed without a baseline and told to the hub once", async () => {
  await install();
  expect(await device.current()).toBe("model-v2.0.onnx");
  expect(await device.backup()).toBe(null);
  expect(device.inference.served()).toBe(good.digest);
  expect(device.hub.outcomes).toHaveLength(1);
  expect(last()).toMatchObject({ outcome: "committed", code: "OK", version: "v2.0", deployment_id: "deploy-v2.0" });
  expect(device.hub.observed.at(-1)).toMatchObject({
    phase: "idle",
    models: { default: { current: { version: "v2.0" } } },
  });
});

test("the next version takes over and the one before becomes the backup", async () => {
  await install();
  await install(better);
  expect(await device.current()).toBe("model-v2.1.onnx");
  expect(await device.backup()).toBe("model-v2.0.onnx");
  expect(last()?.evidence.baseline?.samples).toBe(20);
  expect(last()?.evidence.candidate?.samples).toBe(20);
});

test("a version far slower than the running one is rolled back with both times in the evidence", async () => {
  await install();
  device.hub.offer(slow);
  expect(await device.once()).toBe(false);
  expect(await device.current()).toBe("model-v2.0.onnx");
  expect(await device.backup()).toBe(null);
  expect(device.inference.served()).toBe(good.digest);
  expect(last()).toMatchObject({ outcome: "rolled-back", code: "LATENCY_OVER_BASELINE", version: "v2.2" });
  expect(last()?.message).toMatch(/^p95 was \d+\.\d ms, allowed \d+\.\d ms \(baseline \d+\.\d ms × 1\.25 \+ 25 ms\)$/);
  expect(last()?.evidence.restored?.errors).toBe(0);
});

test("a version that answers the golden samples wrongly is rolled back and never offered again", async () => {
  await install();
  device.hub.offer(wrong);
  await device.once();
  expect(last()).toMatchObject({ outcome: "rolled-back", code: "GOLDEN_MISMATCH" });
  expect(last()?.evidence.golden).toMatchObject({ checked: 1, failed: 1, worst: { output: "y" } });
  const reloads = device.inference.reloads.length;
  await device.once();
  expect(device.inference.reloads).toHaveLength(reloads);
  expect(device.hub.outcomes).toHaveLength(2);
});

test("a larger retry lifts the quarantine, another deployment is answered with QUARANTINED", async () => {
  await install();
  device.hub.offer(wrong);
  await device.once();
  device.hub.offer(wrong, { deployment_id: "deploy-again" });
  await device.once();
  expect(last()).toMatchObject({ outcome: "rejected", code: "QUARANTINED", deployment_id: "deploy-again" });
  device.hub.offer(wrong, { deployment_id: "deploy-again", retry: 1 });
  await device.once();
  expect(last()).toMatchObject({ outcome: "rolled-back", code: "GOLDEN_MISMATCH", deployment_id: "deploy-again" });
});

test("a file cut short at the hub is rejected before any swap and not fetched again and again", async () => {
  await install();
  device.hub.offer(better);
  device.hub.replaceArtifact(better, better.bytes.subarray(0, 1_000));
  await device.once();
  expect(last()).toMatchObject({
    outcome: "rejected",
    code: "SIZE_MISMATCH",
    evidence: { expected_bytes: 2000, actual_bytes: 1000 },
  });
  expect(await device.current()).toBe("model-v2.0.onnx");
  const fetches = device.hub.fetches.length;
  await device.once();
  expect(device.hub.fetches).toHaveLength(fetches);
  expect(device.inference.reloads).toEqual(["unload", "load"]);
});

test("other bytes of the right size are rejected by their digest, after one clean second try at most", async () => {
  await install();
  device.hub.offer(better);
  device.hub.replaceArtifact(better, Buffer.alloc(2_000, "x"));
  await device.once();
  expect(last()).toMatchObject({ outcome: "rejected", code: "DIGEST_MISMATCH" });
  expect(device.hub.fetches.length).toBeLessThanOrEqual(3);
});

test("going back to the backup needs no download", async () => {
  await install();
  await install(better);
  const fetches = device.hub.fetches.length;
  device.hub.offer(good, { deployment_id: "back" });
  expect(await device.once()).toBe(true);
  expect(await device.current()).toBe("model-v2.0.onnx");
  expect(await device.backup()).toBe("model-v2.1.onnx");
  expect(device.hub.fetches).toHaveLength(fetches);
});

test("a first version that fails leaves no link, no model, and says there was nothing to fall back to", async () => {
  device.hub.offer(wrong);
  await device.once();
  expect(await device.current()).toBe(null);
  expect(device.inference.served()).toBe(null);
  expect(last()).toMatchObject({ outcome: "rolled-back", code: "GOLDEN_MISMATCH" });
  expect(device.hub.observed.at(-1)).toMatchObject({ phase: "idle", trouble: { code: "NOTHING_TO_FALL_BACK" } });
});

test("fault 40: a file the service cannot load is rolled back with the service's own words", async () => {
  await install();
  device.hub.offer(fakeModel({ version: "v9", loads: false }));
  await device.once();
  expect(last()).toMatchObject({ outcome: "rolled-back", code: "RELOAD_FAILED" });
  expect(last()?.message).toContain("incompatible device");
  expect(device.inference.served()).toBe(good.digest);
});

test("fault 45: a service that goes on serving the old file is not healthy", async () => {
  await install();
  device.inference.ignoreReloads(true);
  device.hub.offer(better, { policy: { ...QUICK_POLICY, cold_start_ms: 600 } });
  await device.once();
  expect(last()).toMatchObject({ outcome: "rolled-back", code: "IDENTITY_MISMATCH" });
  expect(await device.current()).toBe("model-v2.0.onnx");
});

test("fault 41: a model that stops answering while it is watched is rolled back", async () => {
  await install();
  device.hub.offer(fakeModel({ version: "v8", diesAfter: 26 }), { policy: { ...QUICK_POLICY, soak_ms: 5_000 } });
  await device.once();
  expect(last()).toMatchObject({ outcome: "rolled-back", code: "SOAK_UNHEALTHY" });
  expect(device.inference.served()).toBe(good.digest);
});

test("fault 47: when the old model is unhealthy too the device is blocked, swaps no more, and recovers with the service", async () => {
  await install();
  const running = await device.start();
  try {
    device.inference.setDown(true);
    device.hub.offer(better, { policy: { ...QUICK_POLICY, cold_start_ms: 300 } });
    await eventually("the device is blocked", () => device.hub.observed.at(-1)?.phase === "blocked", 30_000);
    expect(device.hub.observed.at(-1)?.trouble?.code).toBe("OLD_MODEL_UNHEALTHY");
    expect(await device.current()).toBe("model-v2.0.onnx");
    const reloads = device.inference.reloads.length;
    device.inference.setDown(false);
    device.hub.offer(fakeModel({ version: "v2.5" }));
    await eventually(
      "the mended version is committed",
      () => last()?.outcome === "committed" && last()?.version === "v2.5",
    );
    expect(await device.current()).toBe("model-v2.5.onnx");
    expect(device.inference.reloads.length).toBe(reloads + 2);
  } finally {
    await running.stop();
  }
}, 60_000);

test("paused, outside the wave, or wanting what runs already: nothing is done and nothing is told", async () => {
  await install();
  for (const more of [{ paused: true }, { share: 0 }]) {
    device.hub.offer(better, more);
    expect(await device.once()).toBe(true);
  }
  expect(await device.current()).toBe("model-v2.0.onnx");
  expect(device.hub.outcomes).toHaveLength(1);
});
