// The traps of Triton's reloads, against a fake that has them: loads of older files, held models, control modes.
import { rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { type FakeTriton, fakeTriton } from "../../testing/fake-triton.ts";
import { tempDir } from "../../testing/temp-dir.ts";
import { http } from "../http.ts";
import { tritonReloader } from "./triton.ts";

const file = { file: "model-v1.trt", version: "v1", digest: "a".repeat(64) };
const never = new AbortController().signal;
const HOUR = 3_600;

let dir: string;
let link: string;
let triton: FakeTriton;
const reload = (budgetMs = 5_000) =>
  tritonReloader(http({}), triton.url, "default").reload({ model: "default", file, link, budgetMs }, never);

/** Every version is an hour older than the one before: the order of a rollback. */
async function swapTo(version: string, ageHours: number): Promise<void> {
  await writeFile(join(dir, `${version}.trt`), version);
  const at = Date.now() / 1_000 - ageHours * HOUR;
  await utimes(join(dir, `${version}.trt`), at, at);
  await rm(link, { force: true });
  await symlink(`${version}.trt`, link);
}

beforeEach(async () => {
  dir = await tempDir();
  link = join(dir, "current.trt");
  await swapTo("v1", 0);
  triton = await fakeTriton(link);
  const first = await reload();
  if (!first.ok) throw new Error(first.mishap.message);
});

test("a load alone does nothing when the file behind the link is older, and answers 200", async () => {
  await swapTo("v0", 5);
  const answer = await fetch(new URL("/v2/repository/models/default/load", triton.url), { method: "POST" });
  expect({ status: answer.status, served: triton.served() }).toEqual({ status: 200, served: "v1" });
});

test("back to older files, ever older, the right one is served", async () => {
  for (const [hours, version] of ["v0", "v00", "v000"].entries()) {
    await swapTo(version, hours + 1);
    expect(await reload()).toEqual({ ok: true });
    expect(triton.served()).toBe(version);
  }
});

test("a model that is held by requests is not taken for gone", async () => {
  triton.isHeld = true;
  await swapTo("v0", 5);
  expect(await reload(400)).toMatchObject({ ok: false, mishap: { message: expect.stringContaining("stays loaded") } });
  expect(triton.asked.at(-1)).toContain("unload");
});

test("a Triton that does not let models be loaded is told with the option that changes it", async () => {
  triton.mode = "none";
  await swapTo("v0", 5);
  expect(await reload(400)).toMatchObject({
    ok: false,
    mishap: { message: expect.stringContaining("--model-control-mode=explicit") },
  });
  expect(triton.served()).toBe("v1");
});

test("fault 46: a load that fails for memory is told in words, what it holds is given back, and the old file loads again", async () => {
  triton.refuses = (content) => (content === "v2" ? "Internal: CUDA_ERROR_OUT_OF_MEMORY" : null);
  await swapTo("v2", 0);
  expect(await reload()).toMatchObject({ ok: false, mishap: { code: "OUT_OF_GPU_MEMORY" } });
  expect(triton.asked.slice(-1)).toEqual(["/v2/repository/models/default/unload"]);
  await swapTo("v1", 3);
  expect(await reload()).toEqual({ ok: true });
  expect(triton.served()).toBe("v1");
});

test("a service that shall serve nothing is unloaded and no more", async () => {
  const reloader = tritonReloader(http({}), triton.url, "default");
  expect(await reloader.reload({ model: "default", file: null, link, budgetMs: 5_000 }, never)).toEqual({ ok: true });
  expect(triton.served()).toBeNull();
});
