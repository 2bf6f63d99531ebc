// The crash matrix: every step of a rollout and of a rollback, failed, killed before and killed after, on a real directory.
import { readFile, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeModel } from "./testing/fake-model.ts";
import { type Fault, type TestBench, testBench } from "./testing/test-bench.ts";

const old = fakeModel({ version: "v2.0" });
const good = fakeModel({ version: "v2.1" });
const wrong = fakeModel({ version: "v2.3", factor: 3 });

/** What each rollout does when nothing interferes. A change of the order is a change of the product, and shows here. */
const ROLLOUT = [
  "begin",
  "fetch",
  "verify",
  "ask-leave",
  "measure-baseline",
  "link-backup",
  "link-current",
  "reload",
  "examine",
] as const;
const WAYS = {
  good: { model: good, steps: [...ROLLOUT, "soak", "record"] },
  wrong: { model: wrong, steps: [...ROLLOUT, "link-current", "link-backup", "reload", "examine", "record", "tidy"] },
  first: {
    model: good,
    steps: [
      "begin",
      "fetch",
      "verify",
      "ask-leave",
      "measure-baseline",
      "link-current",
      "reload",
      "examine",
      "soak",
      "record",
    ],
  },
  "first and wrong": {
    model: wrong,
    steps: [
      "begin",
      "fetch",
      "verify",
      "ask-leave",
      "measure-baseline",
      "link-current",
      "reload",
      "examine",
      "link-current",
      "reload",
      "record",
      "tidy",
    ],
  },
} as const;
type Way = keyof typeof WAYS;
const FAULTS: Fault[] = ["failed", "killed before", "killed after"];

let bench: TestBench;
beforeEach(async () => {
  bench = await testBench();
});
afterEach(() => bench.close());

async function prepare(way: Way): Promise<void> {
  if (!way.startsWith("first")) {
    await bench.offer(old);
    await bench.live();
  }
  await bench.offer(WAYS[way].model);
}

/** What the slot may lead to at any instant: never nothing once there was something. */
function wholeModels(way: Way): (string | null)[] {
  return [WAYS[way].model.digest, way.startsWith("first") ? null : old.digest];
}

/** What it may lead to in the end: a wrong model never stays. */
async function expectSettled(way: Way): Promise<void> {
  const current = await bench.current();
  const isWrong = WAYS[way].model === wrong;
  expect(bench.stage()).toBe("resting");
  expect(wholeModels(way).slice(isWrong ? 1 : 0)).toContain(current);
  expect(bench.served()).toBe(current);
}

async function terminalOutcomes(way: Way): Promise<string[]> {
  const { version } = WAYS[way].model;
  const all = (await bench.outcomes()).filter((one) => one.version === version).map((one) => one.outcome);
  return all.filter((outcome) => outcome !== "failed");
}

describe.each(Object.keys(WAYS) as Way[])("fault 1: the %s version", (way) => {
  const { steps } = WAYS[way];

  test("goes through its steps in the order of the design", async () => {
    await prepare(way);
    expect(await bench.live()).toEqual(steps);
    await expectSettled(way);
  });

  test.each(steps.flatMap((step, index) => FAULTS.map((how) => ({ step, at: index + 1, how }))))(
    "step $at, $step, $how: the device settles, serves one whole model, and tells the end once",
    async ({ at, how }) => {
      await prepare(way);
      await bench.live({ at, how });
      // At the instant of death: old or new, never a broken link.
      expect(wholeModels(way)).toContain(await bench.current());
      await bench.live();
      await expectSettled(way);
      const usual = WAYS[way].model === wrong ? "rolled-back" : "committed";
      const outcomes = await terminalOutcomes(way);
      expect(outcomes).toHaveLength(1);
      // A step that failed after the swap may cost a good version its place; a death never does.
      expect(how === "failed" ? [usual, "rolled-back"] : [usual]).toContain(outcomes[0]);
    },
  );

  test("fault 2: killed at every step and again in the recovery, it converges", async () => {
    for (let at = 1; at <= steps.length; at += 1) {
      const again = await testBench();
      const outer = bench;
      bench = again;
      await prepare(way);
      await bench.live({ at, how: "killed after" });
      await bench.live({ at: 1, how: "killed after" });
      await bench.live({ at: 2, how: "killed before" });
      await bench.live();
      await expectSettled(way);
      expect(await terminalOutcomes(way)).toHaveLength(1);
      await again.close();
      bench = outer;
    }
  });
});

describe("the backup put back by hand", () => {
  const steps = ["obey", "link-current", "link-backup", "reload", "examine", "record", "tidy"];

  async function ordered(): Promise<void> {
    await prepare("good");
    await bench.live();
    expect(await bench.current()).toBe(good.digest);
    bench.order("by hand");
  }

  test("is a rollback like any other, told once, and the version does not come back by itself", async () => {
    await ordered();
    expect(await bench.live()).toEqual(steps);
    expect(await bench.current()).toBe(old.digest);
    expect(bench.served()).toBe(old.digest);
    expect((await bench.outcomes()).at(-1)).toMatchObject({
      outcome: "rolled-back",
      code: "ROLLED_BACK_BY_HAND",
      version: "v2.1",
      deployment_id: "deploy-v2.1",
    });
    expect(await bench.live()).toEqual([]);
  });

  test.each(steps.flatMap((step, index) => FAULTS.map((how) => ({ step, at: index + 1, how }))))(
    "step $at, $step, $how: it ends with the backup in place, told once",
    async ({ at, how }) => {
      await ordered();
      await bench.live({ at, how });
      expect([old.digest, good.digest]).toContain(await bench.current());
      await bench.live();
      expect(bench.stage()).toBe("resting");
      expect(await bench.current()).toBe(old.digest);
      expect(bench.served()).toBe(old.digest);
      const codes = (await bench.outcomes()).map(({ code }) => code).filter((code) => code === "ROLLED_BACK_BY_HAND");
      expect(codes).toHaveLength(1);
    },
  );
});

describe("fault 12: a journal torn in the middle of a swap", () => {
  test.each(ROLLOUT.map((step, index) => ({ step, at: index + 1 })))(
    "after step $at, $step: with only its previous copy left, the device settles",
    async ({ at }) => {
      await prepare("good");
      await bench.live({ at, how: "killed before" });
      const content = await readFile(bench.journalPath);
      await writeFile(bench.journalPath, content.subarray(0, content.length - 7));
      await bench.live();
      await expectSettled("good");
      expect(await bench.current()).toBe(good.digest);
    },
  );

  test("both copies gone after the swap: the unproved model is proved again, and the wrong one goes back", async () => {
    await prepare("wrong");
    await bench.live({ at: ROLLOUT.length, how: "killed before" });
    expect(await bench.current()).toBe(wrong.digest);
    for (const path of [bench.journalPath, `${bench.journalPath}.previous`]) await writeFile(path, "torn");
    await bench.live();
    expect(await bench.current()).toBe(old.digest);
    expect(bench.served()).toBe(old.digest);
  });
});

test("fault 52: an agent that dies again and again while proving a version gives it up", async () => {
  await prepare("good");
  const examine = ROLLOUT.indexOf("examine") + 1;
  await bench.live({ at: examine, how: "killed before" });
  await bench.live({ at: 1, how: "killed before" });
  await bench.live({ at: 1, how: "killed before" });
  await bench.live();
  expect(await bench.current()).toBe(old.digest);
  expect((await bench.outcomes()).at(-1)).toMatchObject({ outcome: "rolled-back", code: "INTERRUPTED" });
});
