// A short sweep: one rollout of a real agent process, killed at every rename and symlink and at every third fsync; the link is
// whole at each of these instants, and one more start brings the device to rest. Needs strace.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { fakeModel } from "@context-edge/agent/testing/fake-model.ts";
import { testDevice, type TestDevice } from "@context-edge/agent/testing/test-device.ts";
import { expect, test } from "vitest";
import { STRACE } from "./strace.ts";
import { onceUnderStrace } from "./system-calls.ts";

const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" });
const WHOLE: readonly string[] = [good.digest, better.digest];

interface Cut {
  call: string;
  /** Every how manyth call is a place to die. */
  every: number;
}

const CUTS: Cut[] = [
  { call: "rename", every: 1 },
  { call: "symlink", every: 1 },
  { call: "fsync", every: 3 },
];

async function deviceOnTheEve(): Promise<TestDevice> {
  const device = await testDevice();
  device.hub.offer(good);
  await device.once();
  device.hub.offer(better);
  return device;
}

async function countCalls(call: string): Promise<number> {
  const device = await deviceOnTheEve();
  await onceUnderStrace(device, ["-e", `trace=${call}`]);
  const lines = readFileSync(join(device.dir, "..", "trace.txt"), "utf8").split("\n");
  await device.close();
  return lines.filter((line) => line.includes(`${call}(`)).length;
}

function expectWhole(device: TestDevice, when: string): void {
  const file = join(device.dir, readlinkSync(join(device.dir, "current.onnx")));
  expect(WHOLE, when).toContain(createHash("sha256").update(readFileSync(file)).digest("hex"));
}

test.runIf(STRACE)(
  "killed at any of these calls, the device serves a whole model and settles at the next start",
  async () => {
    let kills = 0;
    for (const { call, every } of CUTS) {
      const calls = await countCalls(call);
      expect(calls, `${call} is part of a rollout`).toBeGreaterThan(0);
      for (let at = 1; at <= calls; at += every) {
        const device = await deviceOnTheEve();
        const when = `${call} ${at} of ${calls}`;
        const wasKilled = await onceUnderStrace(device, [
          "-e",
          `trace=${call}`,
          "-e",
          `inject=${call}:signal=SIGKILL:when=${at}`,
        ]);
        if (wasKilled) kills += 1;
        expectWhole(device, when);
        await device.once();
        expectWhole(device, `after ${when}`);
        expect(await device.current(), when).toBe("model-v2.1.onnx");
        const terminal = device.hub.outcomes.filter((outcome) => outcome.version === "v2.1");
        expect(
          terminal.map(({ outcome }) => outcome),
          when,
        ).toEqual(["committed"]);
        const leftovers = readdirSync(device.dir).filter((name) => name.endsWith(".next") || name.endsWith(".tmp"));
        expect(leftovers, `leftovers after ${when}`).toEqual([]);
        await device.close();
      }
      process.stdout.write(`killed at ${call}: ${calls} calls in one rollout, ${kills} kills so far\n`);
    }
    expect(kills).toBeGreaterThan(20);
  },
);
