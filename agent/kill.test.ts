// The agent as a process of its own, killed with SIGKILL at many instants of a rollout: what is served stays whole, and the device settles.
import { once } from "node:events";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeModel } from "./testing/fake-model.ts";
import { eventually, type TestDevice, testDevice } from "./testing/test-device.ts";

const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" }, 200_000);
const wrong = fakeModel({ version: "v2.3", factor: 3 });

let device: TestDevice;
beforeEach(async () => {
  device = await testDevice();
});
afterEach(() => device.close());

async function servedDigest(): Promise<string> {
  const bytes = await readFile(join(device.dir, "current.onnx"));
  return createHash("sha256").update(bytes).digest("hex");
}

/** Kills a fresh agent as soon as a phase is seen at the hub, or after a while without one. */
async function killIn(phase: string): Promise<void> {
  const seen = device.hub.observed.length;
  const child = device.spawn();
  await eventually(`phase ${phase}, or the end`, () => {
    const reports = device.hub.observed.slice(seen);
    return (
      reports.some((one) => one.phase === phase || one.models["default"]?.attempt?.steps.at(-1)?.phase === phase) ||
      (reports.length > 2 && reports.at(-1)?.phase === "idle" && device.hub.outcomes.length > 1)
    );
  });
  child.kill("SIGKILL");
  await once(child, "exit");
}

test.each([
  { version: "a good version", model: better, ends: "committed", serves: better },
  { version: "a wrong version", model: wrong, ends: "rolled-back", serves: good },
])(
  "$version: killed in phase after phase, the served file is always whole and the end is told once",
  async ({ model, ends, serves }) => {
    device.hub.offer(good);
    expect(await device.once()).toBe(true);
    device.hub.offer(model);
    for (const phase of ["downloading", "verifying", "probing"]) {
      await killIn(phase);
      expect([good.digest, model.digest]).toContain(await servedDigest());
    }
    await device.once();
    expect(await servedDigest()).toBe(serves.digest);
    expect(device.inference.served()).toBe(serves.digest);
    expect(device.hub.outcomes.map((one) => one.outcome)).toEqual(["committed", ends]);
  },
  60_000,
);

test("killed at scattered instants from the first line on, the device still settles on the good version", async () => {
  device.hub.offer(good);
  await device.once();
  device.hub.offer(better);
  for (const afterMs of [350, 450, 500, 550, 600, 650, 700, 800]) {
    const child = device.spawn();
    // Not a wait for something: the instant itself is what is tried.
    await delay(afterMs);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect([good.digest, better.digest]).toContain(await servedDigest());
  }
  await device.once();
  const [, ...later] = device.hub.outcomes;
  // Restarted too often in the middle, it may give the version up; it may never be left in between.
  expect(later.map((one) => one.code)).toHaveLength(1);
  expect(["OK", "INTERRUPTED"]).toContain(later[0]?.code);
  expect(await servedDigest()).toBe(later[0]?.outcome === "committed" ? better.digest : good.digest);
}, 60_000);

test("fault 18: a second agent on the same directory exits at once and says why", async () => {
  const first = device.spawn();
  try {
    await eventually("the first agent reports", () => device.hub.observed.length > 0);
    const second = device.spawn("once");
    let said = "";
    second.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(second, "close")) as [number];
    expect(code).toBe(1);
    expect(said).toMatch(/^agent: ALREADY_RUNNING: another agent is already running on .*\n$/);
  } finally {
    first.kill("SIGKILL");
    await once(first, "exit");
  }
  // The killed agent's lock is stale, and no obstacle.
  device.hub.offer(good);
  expect(await device.once()).toBe(true);
}, 30_000);

test("SIGTERM ends the agent within seconds, with a journal the next start goes on from", async () => {
  device.hub.offer(good);
  await device.once();
  device.hub.offer(better);
  const child = device.spawn();
  await eventually("an attempt runs", () =>
    device.hub.observed.some((one) => one.models["default"]?.attempt?.version === "v2.1"),
  );
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number];
  expect(code).toBe(0);
  expect(await device.once()).toBe(true);
  expect(await servedDigest()).toBe(better.digest);
}, 30_000);
