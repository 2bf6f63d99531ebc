// A build that is killed at every step, and one that fails in every way trtexec knows: the old model goes on, and there is no engine or a whole one.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeModel } from "./testing/fake-model.ts";
import type { Mood } from "./testing/stand-in-trtexec.ts";
import { type Fault, type TestBench, testBench } from "./testing/test-bench.ts";

const old = fakeModel({ version: "v2.0" });
const next = fakeModel({ version: "v2.1" });
const FP16 = { build: { precision: ["fp16" as const] } };
const FAULTS: Fault[] = ["failed", "killed before", "killed after"];
const STEPS = [
  "begin",
  "fetch",
  "verify",
  "ask-build",
  "build",
  "ask-leave",
  "measure-baseline",
  "link-backup",
  "link-current",
  "reload",
  "examine",
  "soak",
  "record",
] as const;

let bench: TestBench;
beforeEach(async () => {
  bench = await testBench();
  await bench.offer(old);
  await bench.live();
});
afterEach(() => bench.close());

const engines = async () => (await readdir(bench.dir)).filter((name) => name.endsWith(".engine"));
async function digestOf(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(join(bench.dir, file)))
    .digest("hex");
}
const codes = async () =>
  (await bench.outcomes()).filter(({ version }) => version === next.version).map(({ code }) => code);

/** Old or new, and whatever has the name of an engine is a whole one: the stand-in ends each with a mark. */
async function expectWhole(): Promise<void> {
  const files = await engines();
  for (const file of files) expect((await readFile(join(bench.dir, file))).subarray(-4).toString()).toBe("END.");
  const digests = await Promise.all(files.map(digestOf));
  expect([old.digest, ...digests]).toContain(await bench.current());
}

async function expectInstalled(): Promise<void> {
  await expectWhole();
  expect(bench.stage()).toBe("resting");
  expect(await engines()).toEqual(["model-v2.1.engine"]);
  expect(await bench.current()).toBe(await digestOf("model-v2.1.engine"));
  expect(bench.served()).toBe(await bench.current());
  expect(await codes()).toEqual(["OK"]);
  expect(await readdir(join(bench.dir, ".agent", "partial"))).toEqual([]);
}

test("goes through its steps in the order of the design", async () => {
  await bench.offer(next, FP16);
  expect(await bench.live()).toEqual(STEPS);
  await expectInstalled();
});

describe("fault 77: a build that is interrupted", () => {
  const before = STEPS.slice(0, STEPS.indexOf("reload"));
  test.each(before.flatMap((step, index) => FAULTS.map((how) => ({ step, at: index + 1, how }))))(
    "at step $at, $step, $how: there is no engine or a whole one, and the device settles on it",
    async ({ at, how, step }) => {
      await bench.offer(next, FP16);
      await bench.live({ at, how });
      await expectWhole();
      await bench.live();
      // Where the links were touched a failure costs the version its place, as any other version's.
      if (how === "failed" && step.startsWith("link-")) {
        expect(await bench.current()).toBe(old.digest);
        return;
      }
      await expectWhole();
      expect(bench.served()).toBe(await bench.current());
      expect((await codes()).at(-1)).toBe("OK");
      // What was built before the agent died is not built again.
      const isBuiltTwice = (await bench.trtexec.builds()) > 1;
      expect(isBuiltTwice).toBe(false);
    },
  );

  test("again and again, by a device that goes down under its builds, is given up", async () => {
    await bench.offer(next, FP16);
    await bench.live({ at: STEPS.indexOf("build") + 1, how: "killed before" });
    // ask-build, build: the restart asks anew.
    for (let death = 2; death <= 4; death += 1) await bench.live({ at: 2, how: "killed before" });
    await bench.live();
    expect(await codes()).toEqual(["INTERRUPTED"]);
    expect((await bench.outcomes()).at(-1)).toMatchObject({ outcome: "rejected" });
    expect(await bench.trtexec.builds()).toBe(0);
    expect(bench.served()).toBe(old.digest);
  });
});

interface Failure {
  mood: Mood;
  code: string;
  says: RegExp;
  builds: number;
}

const FAILURES: Failure[] = [
  { mood: "out of memory", code: "BUILD_OUT_OF_MEMORY", says: /memory ran out while the engine was built/, builds: 2 },
  { mood: "killed", code: "BUILD_OUT_OF_MEMORY", says: /the kernel ended the build/, builds: 2 },
  { mood: "crashes", code: "BUILD_CRASHED", says: /trtexec crashed while it built the engine \(SIGSEGV\)/, builds: 2 },
  { mood: "half a file", code: "BUILD_UNLOADABLE", says: /the engine's file is not whole/, builds: 2 },
  { mood: "cannot save", code: "BUILD_NOT_SAVED", says: /could not be written whole/, builds: 2 },
  { mood: "unsupported", code: "BUILD_MODEL_UNSUPPORTED", says: /has no operator GridSample/, builds: 1 },
  { mood: "wrong shapes", code: "BUILD_SHAPES_WRONG", says: /are not those of the model's inputs/, builds: 1 },
  { mood: "says nothing", code: "BUILD_FAILED", says: /trtexec ended with 1 and said no reason/, builds: 1 },
];
const NUMBER: Partial<Record<Mood, string>> = {
  "out of memory": "fault 80: ",
  killed: "fault 80: ",
  crashes: "fault 82: ",
  "half a file": "fault 83: ",
  unsupported: "fault 87: ",
};

test.each(
  FAILURES.map((one) => ({ ...one, title: `${NUMBER[one.mood] ?? ""}a build whose trtexec feels "${one.mood}"` })),
)("$title ends as $code after $builds builds, and what runs is not touched", async ({ mood, code, says, builds }) => {
  await bench.trtexec.feels(mood);
  await bench.offer(next, FP16);
  await bench.live();
  expect(await bench.trtexec.builds()).toBe(builds);
  const end = (await bench.outcomes()).at(-1);
  expect(end).toMatchObject({ outcome: "rejected", code, version: "v2.1", digest: next.digest });
  expect(end?.message).toMatch(says);
  expect(end?.next_step).not.toBe("");
  expect(bench.served()).toBe(old.digest);
  expect(await engines()).toEqual([]);
  expect(await readdir(join(bench.dir, ".agent", "partial"))).toEqual([]);
  // Refused until somebody says otherwise: a build is not repeated for ever.
  await bench.live();
  expect(await bench.trtexec.builds()).toBe(builds);
});

test("a build that fails once and then does not is no failure", async () => {
  await bench.trtexec.feels("out of memory");
  await bench.offer(next, FP16);
  await bench.live({ at: STEPS.indexOf("build") + 1, how: "killed after" });
  await bench.trtexec.feels("well");
  await bench.live();
  await expectInstalled();
});

test("fault 85: an engine that rots between its proof and the switch is built anew, and never switched to", async () => {
  await bench.offer(next, FP16);
  await bench.live({ at: STEPS.indexOf("measure-baseline") + 1, how: "killed before" });
  const path = join(bench.dir, "model-v2.1.engine");
  const bytes = await readFile(path);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await bench.live();
  expect(await bench.trtexec.builds()).toBe(2);
  expect(await codes()).toEqual(["FILE_DAMAGED", "OK"]);
  // The rotten one is gone, the sound one has a name of its own.
  const [engine = "", ...others] = await engines();
  expect(others).toEqual([]);
  expect(await bench.current()).toBe(await digestOf(engine));
});

test("a file that rots while it waits to be built from is fetched again, and nothing is built from it", async () => {
  await bench.offer(next, FP16);
  await bench.live({ at: STEPS.indexOf("build") + 1, how: "killed before" });
  const path = join(bench.dir, "model-v2.1.onnx");
  await writeFile(path, Buffer.alloc(2_000, "x"));
  await bench.live();
  expect(bench.served()).toBe(await digestOf("model-v2.1.engine"));
  expect((await codes()).at(-1)).toBe("OK");
});
