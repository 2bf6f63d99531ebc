// Triton's traps: loads that do nothing, models that linger, failed loads that leak, servers that take no orders.
import { symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { type FakeRepository, fakeRepository } from "../../testing/fake-triton-repository.ts";
import { tempDir } from "../../testing/temp-dir.ts";
import { http } from "../http.ts";
import { tritonReloader } from "./triton.ts";

const ref = { file: "model-v2.1.trt", version: "v2.1", digest: "a".repeat(64) };
const never = new AbortController().signal;
let dir: string;
let triton: FakeRepository;

async function swapTo(name: string, content: string): Promise<void> {
  await writeFile(join(dir, name), content);
  await unlink(join(dir, "current.trt")).catch(() => undefined);
  await symlink(name, join(dir, "current.trt"));
}
const reload = (file: typeof ref | null = ref, budgetMs = 5_000) =>
  tritonReloader(http({}), triton.url, "default").reload(
    { model: "default", file, link: join(dir, "current.trt"), budgetMs },
    never,
  );

beforeEach(async () => {
  dir = await tempDir();
  triton = await fakeRepository(join(dir, "current.trt"));
  await swapTo("old.trt", "old");
  await reload();
});

test("going back to an older file is a real load: a load alone would have answered 200 and done nothing", async () => {
  expect(triton.served).toBe("old");
  await swapTo("new.trt", "new");
  expect(await reload()).toEqual({ ok: true });
  expect(triton.served).toBe("new");
  // The file is older than the one that is loaded, and only the link changed.
  await unlink(join(dir, "current.trt"));
  await symlink("old.trt", join(dir, "current.trt"));
  await utimes(join(dir, "new.trt"), new Date(), new Date());
  const alone = await fetch(`${triton.url}/v2/repository/models/default/load`, { method: "POST" });
  expect([alone.status, triton.served]).toEqual([200, "new"]);
  expect(await reload()).toEqual({ ok: true });
  expect(triton.served).toBe("old");
});

test("the load waits until the unload is over, and the reload until the load is", async () => {
  triton.slowness = { load: 3, unload: 3 };
  await swapTo("new.trt", "new");
  expect(await reload()).toEqual({ ok: true });
  expect(triton.served).toBe("new");
});

test("an old model that is never let go is told, and nothing is loaded beside it", async () => {
  triton.clings = true;
  triton.asked = [];
  await swapTo("new.trt", "new");
  expect(await reload(ref, 400)).toMatchObject({ mishap: { message: expect.stringContaining("let go") } });
  expect(triton.asked).toEqual(["unload"]);
});

test("a load that never ends is given up in time and unloaded", async () => {
  triton.slowness = { load: 1e6, unload: 0 };
  await swapTo("new.trt", "new");
  expect(await reload(ref, 600)).toMatchObject({ mishap: { message: expect.stringContaining("LOADING") } });
  expect(triton.asked.at(-1)).toBe("unload");
});

test.each([
  ["fault 46: out of memory of the GPU", "CUDA_ERROR_OUT_OF_MEMORY", "OUT_OF_GPU_MEMORY", "memory"],
  ["an engine of another GPU", "incompatible device, expecting compute 8.6 got compute 7.5", "ENGINE_WRONG_GPU", "8.6"],
  ["anything else", "unable to load plan file", "RELOAD_FAILED", "unable to load plan file"],
])("%s is told in words, whenever it is noticed, and its memory is given back", async (_what, text, code, words) => {
  for (const when of ["refused", "late"]) {
    await swapTo("bad.trt", `${when}: ${text}`);
    expect(await reload(), when).toMatchObject({ mishap: { code, message: expect.stringContaining(words) } });
    expect(triton.leaks).toBe(0);
  }
  await swapTo("old.trt", "old");
  expect(await reload()).toEqual({ ok: true });
});

test("a Triton that takes no orders is told with the option it needs", async () => {
  triton.mode = "none";
  const result = await reload();
  expect(result).toMatchObject({ mishap: { nextStep: expect.stringContaining("--model-control-mode=explicit") } });
});

test.each(["missing", "empty"] as const)(
  "with an index that is %s the metadata tells when the model is gone",
  async (index) => {
    triton.index = index;
    await swapTo("new.trt", "new");
    expect(await reload()).toEqual({ ok: true });
    expect(triton.served).toBe("new");
    triton.clings = true;
    expect(await reload(ref, 400)).toMatchObject({ mishap: { message: expect.stringContaining("let go") } });
  },
);

test("to serve nothing, the model is unloaded and not loaded again", async () => {
  triton.asked = [];
  expect(await reload(null)).toEqual({ ok: true });
  expect([triton.asked, triton.served]).toEqual([["unload"], null]);
});

test("a service that is not there is told with its address", async () => {
  triton.url = "http://127.0.0.1:9";
  expect(await reload()).toMatchObject({ mishap: { message: expect.stringContaining("http://127.0.0.1:9") } });
});
