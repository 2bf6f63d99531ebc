// Versions whose engine the device builds itself, from the signed file to the commit, with a stand-in for trtexec that speaks its formats.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeModel, fakeModel } from "./testing/fake-model.ts";
import { sealRecipe } from "./testing/signing.ts";
import { type StandInTrtexec, standInTrtexec } from "./testing/stand-in-trtexec.ts";
import { tempDir } from "./testing/temp-dir.ts";
import { eventually, type TestDevice, testDevice } from "./testing/test-device.ts";

const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" });
const wrong = fakeModel({ version: "v2.3", factor: 3 });
const FP16 = { precision: ["fp16" as const] };

let device: TestDevice;
let trtexec: StandInTrtexec;
beforeEach(async () => {
  trtexec = await standInTrtexec(await tempDir());
  device = await testDevice();
  device.environment["AGENT_TENSORRT"] = "10.3.0.30";
  device.environment["AGENT_TRTEXEC"] = trtexec.program;
});
afterEach(() => device.close());

function offer(model: FakeModel, recipe: Parameters<typeof sealRecipe>[2] = FP16, more: object = {}): void {
  const target = { version: model.version, statement: sealRecipe(model, device.hub.releaseKey, recipe) };
  device.hub.offer(model, { target, ...more });
}
async function install(...models: FakeModel[]): Promise<void> {
  for (const model of models) {
    offer(model);
    expect(await device.once()).toBe(true);
  }
}
const last = () => device.hub.outcomes.at(-1);
const seen = () => device.hub.observed.at(-1)?.models["default"];
async function digestIn(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(join(device.dir, file)))
    .digest("hex");
}
const models = async () => (await readdir(device.dir)).filter((name) => name.startsWith("model-")).toSorted();

describe("an engine built on the device", () => {
  test("is switched to, proved by the golden samples, and told with what it was built for", async () => {
    await install(good);
    expect(await device.current()).toBe("model-v2.0.engine");
    const engine = await digestIn("model-v2.0.engine");
    expect(device.inference.served()).toBe(engine);
    expect(engine).not.toBe(good.digest);
    // By the digest that was signed, as every hub knows it; the device's own beside it.
    expect(seen()?.current).toMatchObject({
      version: "v2.0",
      digest: good.digest,
      engine: { digest: engine, tensorrt: "10.3.0.30", sm: null },
    });
    expect(last()).toMatchObject({ outcome: "committed", code: "OK", digest: good.digest });
    expect(last()?.evidence).toMatchObject({ golden: { checked: 1, failed: 0 }, engine: { digest: engine } });
    expect(await models()).toEqual(["model-v2.0.engine", "model-v2.0.onnx"]);
  });

  test("is built with the recipe's words and nothing else, and read back from the disk before it gets its name", async () => {
    const recipe = { ...FP16, optimization_level: 4, workspace_mib: 512, deadline_minutes: 5 };
    offer(good, { ...recipe, shapes: { x: { min: [1, 2], opt: [4, 2], max: [8, 2] } } });
    expect(await device.once()).toBe(true);
    const [build = "", load = "", ...more] = await trtexec.calls();
    expect(more).toEqual([]);
    const words = build.split(" ").map((word) => word.replaceAll(/=\/.*\//g, "=…/"));
    expect(words.slice(0, 1)).toEqual(["--onnx=…/model-v2.0.onnx"]);
    expect(words.slice(3)).toEqual([
      "--fp16",
      "--minShapes=x:1x2",
      "--optShapes=x:4x2",
      "--maxShapes=x:8x2",
      "--memPoolSize=workspace:512",
      "--builderOptimizationLevel=4",
      "--skipInference",
    ]);
    expect(load).toMatch(/^--loadEngine=\S+\.staged --skipInference$/);
  });

  test("whose answers are wrong is rolled back, and the version is refused here by this recipe only", async () => {
    await install(good);
    offer(wrong);
    await device.once();
    expect(last()).toMatchObject({ outcome: "rolled-back", code: "GOLDEN_MISMATCH", digest: wrong.digest });
    expect(await device.current()).toBe("model-v2.0.engine");
    const builds = await trtexec.builds();
    await device.once();
    expect(await trtexec.builds()).toBe(builds);
    // Another recipe makes another engine: it has its own chance.
    offer(wrong, { precision: ["bf16"] }, { deployment_id: "with bf16" });
    await device.once();
    expect(await trtexec.builds()).toBe(builds + 1);
    expect(last()).toMatchObject({ outcome: "rolled-back", deployment_id: "with bf16" });
  });

  test("is there for the way back: a rollback neither builds nor fetches", async () => {
    await install(good, better);
    const [builds, fetches] = [await trtexec.builds(), device.hub.fetches.length];
    const before = await digestIn("model-v2.0.engine");
    offer(good, FP16, { deployment_id: "back" });
    expect(await device.once()).toBe(true);
    expect(await device.current()).toBe("model-v2.0.engine");
    expect(await device.backup()).toBe("model-v2.1.engine");
    expect(device.inference.served()).toBe(before);
    expect([await trtexec.builds(), device.hub.fetches.length]).toEqual([builds, fetches]);
  });

  test("goes with its file when neither slot needs it any more", async () => {
    await install(good, better, fakeModel({ version: "v2.2" }));
    expect(await models()).toEqual(["model-v2.1.engine", "model-v2.1.onnx", "model-v2.2.engine", "model-v2.2.onnx"]);
  });

  test("while it is built the old model serves, counts and is told so; a withdrawn version ends the build", async () => {
    await install(good);
    await trtexec.feels("waits");
    offer(better);
    const running = await device.start();
    try {
      await eventually("the build is under way", () => seen()?.attempt?.build?.stage === "choosing kernels");
      const told = seen();
      expect(told?.attempt).toMatchObject({ phase: "verifying", version: "v2.1" });
      // One build of this recipe was made here before: how long that took is what is known.
      expect(told?.attempt?.build?.estimate_s).not.toBeNull();
      expect(told?.stats?.digest).toBe(good.digest);
      expect(device.inference.served()).toBe(await digestIn("model-v2.0.engine"));
      offer(good);
      await eventually("the build is over", () => seen()?.attempt === null);
      expect(await readdir(join(device.dir, ".agent", "partial"))).toEqual([]);
      expect(await device.current()).toBe("model-v2.0.engine");
    } finally {
      await running.stop();
    }
  });
});

describe("where no engine can be built", () => {
  test.each([
    ["trtexec is not there", { AGENT_TRTEXEC: "/nowhere/trtexec" }, "trtexec to build the engine with"],
    ["the operator wants none built", { AGENT_BUILD_WHEN: "never" }, "trtexec to build the engine with"],
    ["the TensorRT is not known", { AGENT_TENSORRT: "" }, "a TensorRT that is known"],
    ["the TensorRT is too old for the recipe", { AGENT_TENSORRT: "8.5.2" }, "TensorRT 9.0 or newer"],
  ])(
    "because %s, the version fits not and says why, and its file is not served in its place",
    async (_, settings, why) => {
      Object.assign(device.environment, settings);
      offer(good, { precision: ["bf16"] });
      expect(await device.once()).toBe(false);
      expect(last()).toMatchObject({ outcome: "rejected", code: "NO_COMPATIBLE_VARIANT" });
      expect(last()?.message).toContain(why);
      expect([await device.current(), await models()]).toEqual([null, []]);
    },
  );

  test("a trtexec of another TensorRT than the inference has is found out before anything is switched", async () => {
    await trtexec.becomes("10.16.2.10");
    offer(good);
    await device.once();
    expect(last()).toMatchObject({ outcome: "rejected", code: "BUILD_WRONG_TENSORRT" });
    expect(last()?.message).toBe(
      "v2.0 was rejected: trtexec here is of TensorRT 10.16.2.10, the inference has 10.3.0.30: its engines would not load",
    );
    expect(await device.current()).toBeNull();
  });
});

describe("fault 86: TensorRT is replaced under the engine that runs", () => {
  async function updated(): Promise<void> {
    device.environment["AGENT_TENSORRT"] = "10.16.2.10";
    await trtexec.becomes("10.16.2.10");
    await device.inference.updateTensorRt("10.16.2.10");
    expect(device.inference.served()).toBeNull();
  }

  test("the next start builds it anew from the kept file and tells; the backup stays the way back it was", async () => {
    await install(good, better);
    const fetches = device.hub.fetches.length;
    await updated();
    expect(await device.once()).toBe(true);
    const current = (await device.current()) ?? "";
    expect(current).toMatch(/^model-v2\.1-[0-9a-f]{12}\.engine$/);
    expect(device.inference.served()).toBe(await digestIn(current));
    expect(await device.backup()).toBe("model-v2.0.engine");
    expect(device.hub.fetches).toHaveLength(fetches);
    expect(last()).toMatchObject({
      outcome: "committed",
      version: "v2.1",
      evidence: { engine: { tensorrt: "10.16.2.10" } },
    });
    expect(seen()?.current).toMatchObject({ version: "v2.1", engine: { tensorrt: "10.16.2.10" } });
    // And then it rests, the engine that fitted no more is gone.
    const builds = await trtexec.builds();
    await device.once();
    expect(await trtexec.builds()).toBe(builds);
    expect(await models()).not.toContain("model-v2.1.engine");
  });

  test("also when the hub asks for nothing just now: what runs stays in force", async () => {
    await install(good);
    offer(good, FP16, { paused: true });
    await updated();
    await device.once();
    expect(device.inference.served()).toBe(await digestIn((await device.current()) ?? ""));
    expect(last()).toMatchObject({ outcome: "committed", code: "OK" });
  });

  test("while it waits, the trouble is told with both releases", async () => {
    await install(good);
    await updated();
    device.hub.hold({ until: new Date(Date.now() + 3_600_000).toISOString(), reason: "audit" });
    await device.once();
    expect(device.hub.observed.at(-1)?.trouble).toMatchObject({
      code: "ENGINE_STALE",
      message: "the engine of v2.0 was built for TensorRT 10.3.0.30, this device has TensorRT 10.16.2.10 now",
    });
    expect(await trtexec.builds()).toBe(1);
  });

  test("an engine built version-compatible goes on with a later release", async () => {
    offer(good, { version_compatible: true });
    expect(await device.once()).toBe(true);
    device.environment["AGENT_TENSORRT"] = "10.16.2.10";
    expect(await device.once()).toBe(true);
    expect(await trtexec.builds()).toBe(1);
  });

  test("a lost journal costs no build: what an engine was built from is written beside it", async () => {
    await install(good);
    for (const name of ["journal.json", "journal.json.previous"]) {
      await writeFile(join(device.dir, ".agent", name), "torn");
    }
    expect(await device.once()).toBe(true);
    expect(await trtexec.builds()).toBe(1);
    expect(seen()?.current).toMatchObject({ digest: good.digest, engine: { tensorrt: "10.3.0.30" } });
  });
});
