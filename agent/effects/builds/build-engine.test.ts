// One build on a real directory with the stand-in for trtexec: what is left behind, what it costs the machine, and how it ends early.
import { mkdir, readdir, readFile, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BuildRecipe, ProbePolicy, recipeDigest } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { fakeModel } from "../../testing/fake-model.ts";
import { canMount, ext4 } from "../../testing/mounts.ts";
import { type StandInTrtexec, standInTrtexec } from "../../testing/stand-in-trtexec.ts";
import { tempDir } from "../../testing/temp-dir.ts";
import { eventually } from "../../testing/test-device.ts";
import { modelDirectory, prepareModelDirectory } from "../model-directory.ts";
import { buildEngine, type BuildResult } from "./build-engine.ts";
import { openEngineRecords } from "./engine-records.ts";
import { stagesOf } from "./stages.ts";
import { timingCache } from "./timing-cache.ts";

const MOUNTS = await canMount("build-engine.test.ts");
const never = new AbortController().signal;
const model = fakeModel({ version: "v2.1" }, 400_000);

interface Bench {
  dir: string;
  trtexec: StandInTrtexec;
  stages: string[];
  build(recipe?: z.input<typeof BuildRecipe>, how?: { minutes?: number; signal?: AbortSignal }): Promise<BuildResult>;
  /** Names in a folder under `.agent`. */
  own(folder: string): Promise<string[]>;
}

async function bench({ tensorrt = "10.3.0.30", dir = "" } = {}): Promise<Bench> {
  const models = dir === "" ? await tempDir() : dir;
  const trtexec = await standInTrtexec(await tempDir(), tensorrt);
  const directory = modelDirectory(models, "default", "current.trt");
  await prepareModelDirectory(directory);
  const onnx = directory.file("model-v2.1.onnx");
  await writeFile(onnx, model.bytes);
  const stages: string[] = [];
  return {
    dir: models,
    trtexec,
    stages,
    own: async (folder) => (await readdir(join(models, ".agent", folder)).catch((): string[] => [])).toSorted(),
    async build(recipe = {}, { minutes, signal = never } = {}) {
      const parsed = BuildRecipe.parse(recipe);
      const build = { recipe: { ...parsed, deadline_minutes: minutes ?? 5 }, recipeDigest: recipeDigest(parsed) };
      const order = { ...build, tensorrt, sm: "8.7" };
      const candidate = {
        model: "default",
        version: "v2.1",
        digest: model.digest,
        sizeBytes: model.bytes.length,
        format: "onnx",
        build: order,
        release: 1,
        minimumRelease: 0,
        deploymentId: "d1",
        retry: 0,
        policy: ProbePolicy.parse({}),
      };
      const watched = stagesOf(order, null, () => stages.push(watched.now().stage));
      return buildEngine({
        directory,
        engines: await openEngineRecords(directory),
        ownDir: join(models, ".agent"),
        program: trtexec.program,
        reserveBytes: 0,
        candidate,
        onnx,
        held: [],
        now: () => 0,
        stages: watched,
        signal,
      });
    },
  };
}
/** What nobody has collected yet is dead all the same. */
async function isAlive(pid: number): Promise<boolean> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return line !== "" && !/\) Z /.test(line);
}
const codeOf = (result: BuildResult) => (result.ok ? "OK" : result.mishap.code);

test("a build ends with a read-only engine of its own name, its record, and nothing beside it", async () => {
  const one = await bench();
  const result = await one.build();
  expect(result).toMatchObject({ ok: true, file: "model-v2.1.engine" });
  expect((await stat(join(one.dir, "model-v2.1.engine"))).mode & 0o777).toBe(0o444);
  expect(await one.own("partial")).toEqual([]);
  expect(one.stages).toEqual(["reading the model", "choosing kernels", "writing the engine", "checking that it loads"]);
  const [record = ""] = (await readFile(join(one.dir, ".agent", "engines.json"), "utf8")).split("\n");
  expect(record).toContain(result.ok ? result.digest : "no digest");
  // What it printed is kept for whoever has to find out why.
  expect(await readFile(join(one.dir, ".agent", "build.log"), "utf8")).toContain(
    "&&&& PASSED TensorRT.trtexec [TensorRT v100300]",
  );
});

test("it is the last in line for the processor and the first to go when memory runs out", async () => {
  const one = await bench();
  await one.build();
  expect(await one.trtexec.manners()).toEqual(["19", "1000"]);
});

test("two builds of one file differ, and the second finds the name taken", async () => {
  const one = await bench();
  const [first, second] = [await one.build(), await one.build()];
  expect(first.ok && second.ok && first.digest !== second.digest).toBe(true);
  expect(second).toMatchObject({ file: expect.stringMatching(/^model-v2\.1-[0-9a-f]{12}\.engine$/) });
});

test.each(["8.5.2.2", "8.6.2.3", "10.3.0.30", "10.16.2.10"])(
  "a trtexec of TensorRT %s is told only what it knows",
  async (tensorrt) => {
    const one = await bench({ tensorrt });
    expect(codeOf(await one.build({ precision: ["fp16"], workspace_mib: 512 }))).toBe("OK");
  },
);

test("fault 81: a build that hangs is ended at its deadline with all it started, and leaves nothing", async () => {
  const one = await bench();
  await one.trtexec.feels("hangs");
  const result = await one.build({}, { minutes: 1 / 60 });
  expect(result).toMatchObject({ ok: false, mishap: { code: "BUILD_TIMEOUT", kind: "passing" } });
  const child = await one.trtexec.child();
  expect(await isAlive(child)).toBe(false);
  expect(await one.own("partial")).toEqual([]);
});

test("a build that is broken off ends its program and leaves nothing", async () => {
  const one = await bench();
  await one.trtexec.feels("hangs");
  const stop = new AbortController();
  const pending = one.build({}, { signal: stop.signal });
  await eventually("it hangs", async () => (await one.trtexec.child().catch(() => 0)) > 0);
  const child = await one.trtexec.child();
  stop.abort();
  await expect(pending).rejects.toThrow(/abort/i);
  expect(await isAlive(child)).toBe(false);
  expect(await one.own("partial")).toEqual([]);
});

test("fault 78: what a build of a killed agent left in the middle is thrown away by the next", async () => {
  const one = await bench();
  await writeFile(join(one.dir, ".agent", "partial", `${model.digest}.0.engine.staged`), "half");
  await one.build();
  expect(await one.own("partial")).toEqual([]);
});

test("a program that was taken away says so", async () => {
  const one = await bench();
  await rm(one.trtexec.program);
  expect(codeOf(await one.build())).toBe("BUILD_TOOL_MISSING");
});

describe("the timing cache", () => {
  const NAME = "10.3.0.30-sm8.7";
  const cacheOf = (one: Bench) => join(one.dir, ".agent", "timing", `${NAME}.cache`);

  test("is kept per TensorRT and GPU, and the next build learns from it", async () => {
    const one = await bench();
    await one.build();
    expect(await one.own("timing")).toEqual([`${NAME}.cache`, `${NAME}.sha256`]);
    await one.build();
    // The stand-in adds a dot at each build that could read what the one before had learned.
    expect(await readFile(cacheOf(one), "utf8")).toBe("TIMING ..\n");
  });

  test("of another TensorRT goes when one of this is kept", async () => {
    const one = await bench();
    await mkdir(join(one.dir, ".agent", "timing"));
    await writeFile(join(one.dir, ".agent", "timing", "8.6.2-sm8.7.cache"), "TIMING .\n");
    await one.build();
    expect(await one.own("timing")).toEqual([`${NAME}.cache`, `${NAME}.sha256`]);
  });

  test("fault 84: one that was damaged on the disk is thrown away before trtexec sees it", async () => {
    const one = await bench();
    await one.build();
    await writeFile(cacheOf(one), "TIMI\0\0");
    expect(codeOf(await one.build())).toBe("OK");
    expect(await readFile(join(one.dir, ".agent", "build.log"), "utf8")).toContain(
      "A new timing cache will be generated",
    );
    expect(await readFile(cacheOf(one), "utf8")).toBe("TIMING .\n");
  });

  test("fault 84: one that trtexec itself cannot read costs at most one build, and is thrown away", async () => {
    const one = await bench();
    await one.build();
    // As another program of the same release might write it: whole, and not to be read by this one.
    const foreign = join(one.dir, "foreign");
    await writeFile(foreign, "OTHER .\n");
    await timingCache(join(one.dir, ".agent"), { tensorrt: "10.3.0.30", sm: "8.7" }).keep(foreign);
    await one.trtexec.feels("fails on a bad cache");
    expect(await one.build()).toMatchObject({ ok: false, mishap: { kind: "passing" } });
    expect(await one.own("timing")).toEqual([]);
    expect(codeOf(await one.build())).toBe("OK");
  });
});

test.runIf(MOUNTS)(
  "fault 79: a disk that fills up while the engine is written: told as such, and all of it is given back",
  async () => {
    const dir = await ext4(8);
    const one = await bench({ dir });
    // Room for the file it is built from, and for half an engine.
    const filler = join(dir, "of-somebody-else");
    const { bavail, bsize } = await statfs(dir);
    await writeFile(filler, Buffer.alloc(bavail * bsize - 150_000));
    const result = await one.build();
    expect(result).toMatchObject({ ok: false, mishap: { code: "DISK_FULL", kind: "passing" } });
    expect((await readdir(dir)).filter((name) => name.endsWith(".engine"))).toEqual([]);
    expect(await one.own("partial")).toEqual([]);
    await rm(filler);
    expect(codeOf(await one.build())).toBe("OK");
  },
);
