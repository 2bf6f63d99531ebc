// The request and result files of the systemd path unit: which answers count, and what is left behind.
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { fakeHost } from "../../testing/reloadable.ts";
import { tempDir } from "../../testing/temp-dir.ts";
import { eventually } from "../../testing/test-device.ts";
import { systemdPathReloader } from "./systemd-path.ts";
import type { UnitWatch } from "./unit-watch.ts";

const file = { file: "model-v2.1.trt", version: "v2.1", digest: "a".repeat(64) };
const never = new AbortController().signal;
let dir: string;
beforeEach(async () => {
  dir = await tempDir();
});
const reload = (budgetMs = 10_000, signal = never, watch?: UnitWatch, where = dir) =>
  systemdPathReloader(where, watch).reload({ model: "default", file, link: "", budgetMs }, signal);
const requested = async () => (await readFile(join(dir, "restart"), "utf8").catch(() => "")).trim();

async function takeRequest(): Promise<string> {
  let id = "";
  await eventually("a request is written", async () => (id = await requested()) !== "");
  await rm(join(dir, "restart"));
  return id;
}

test("the late answer to a request that was given up is not taken for the answer to the next", async () => {
  const first = reload(400);
  const firstId = await takeRequest();
  expect(await first).toMatchObject({ mishap: { message: expect.stringContaining("was not done in time") } });
  const second = reload();
  const secondId = await takeRequest();
  await writeFile(join(dir, "result"), `${firstId} ok\n`);
  await writeFile(join(dir, "result"), `${secondId} failed unit is masked\n`);
  expect(await second).toMatchObject({ ok: false, mishap: { evidence: { detail: "unit is masked" } } });
});

test("an older answer that lies there does not end the wait", async () => {
  await writeFile(join(dir, "result"), "an-older-id ok\n");
  expect(await reload(400)).toMatchObject({ ok: false });
});

test("a host that never answers is told, and the request is withdrawn", async () => {
  const result = await reload(300);
  expect(result).toMatchObject({ mishap: { message: expect.stringContaining("path unit enabled") } });
  expect(existsSync(join(dir, "restart"))).toBe(false);
});

test("the request is withdrawn when the agent is stopped, but not another's", async () => {
  const stop = new AbortController();
  const pending = reload(60_000, stop.signal);
  await eventually("a request is written", async () => (await requested()) !== "");
  stop.abort();
  await expect(pending).rejects.toBe(stop.signal.reason);
  expect(existsSync(join(dir, "restart"))).toBe(false);

  const again = new AbortController();
  const other = reload(60_000, again.signal);
  await eventually("a request is written", async () => (await requested()) !== "");
  await writeFile(join(dir, "restart"), "another\n");
  again.abort();
  await expect(other).rejects.toBe(again.signal.reason);
  expect(await requested()).toBe("another");
});

test("a temp file that an earlier agent left, or a link planted in its place, is no obstacle", async () => {
  await writeFile(join(dir, "restart.tmp"), "half an i");
  fakeHost(dir, "ok");
  expect(await reload()).toEqual({ ok: true });
});

test("a request directory that is not there, or is none, is told by its name", async () => {
  const missing = join(dir, "missing");
  expect(await reload(500, never, undefined, missing)).toMatchObject({
    mishap: {
      message: expect.stringContaining(`${missing} is not there`),
      nextStep: expect.stringContaining("AGENT_REQUEST_DIR"),
    },
  });
  const obstacle = await systemdPathReloader(missing).obstacle?.(never);
  expect(obstacle).toMatchObject({ code: "RELOADER_UNREACHABLE", message: expect.stringContaining("is not there") });
  expect(await systemdPathReloader(dir).obstacle?.(never)).toBeNull();
  await mkdir(join(dir, "restart"));
  expect(await reload(500)).toMatchObject({ mishap: { message: expect.stringContaining("could not be written") } });
});

test("fault 42: a unit that crash-loops is told while the host still waits for it, but never before it took the request", async () => {
  const looked: boolean[] = [];
  const watch: UnitWatch = {
    unit: "u",
    address: "",
    restarted: () => undefined,
    crash: () => null,
    isCrashing: () => Promise.resolve(looked.push(existsSync(join(dir, "restart"))) > 0 ? "u ended three times" : null),
  };
  const pending = reload(60_000, never, watch);
  await takeRequest();
  expect(await pending).toMatchObject({ mishap: { message: expect.stringContaining("u ended three times") } });
  expect(looked).toEqual([false]);
});
