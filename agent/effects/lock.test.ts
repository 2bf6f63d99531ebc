// One agent per directory: a living one keeps the lock, a dead one's leftover is no obstacle.
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempDir } from "../testing/temp-dir.ts";
import { takeLock } from "./lock.ts";

async function ownDir() {
  // Deeper than a socket address could hold.
  const dir = join(await tempDir(), "deep-".repeat(20), "deeper-".repeat(20));
  await mkdir(dir, { recursive: true });
  return dir;
}

test("the second taker is refused until the first lets go", async () => {
  const dir = await ownDir();
  const lock = await takeLock(dir);
  await expect(takeLock(dir)).rejects.toMatchObject({ code: "ALREADY_RUNNING" });
  await lock.release();
  await (await takeLock(dir)).release();
});

test("fault 19: a leftover nobody answers at is set aside and cleaned away", async () => {
  const dir = await ownDir();
  await writeFile(join(dir, "agent.lock"), "");
  const lock = await takeLock(dir);
  expect(await readdir(dir)).toEqual(["agent.lock"]);
  await lock.release();
});

test("of many takers at one instant exactly one wins, leftover or not", async () => {
  const dir = await ownDir();
  await writeFile(join(dir, "agent.lock"), "");
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(dir)));
  const locks = results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(locks).toHaveLength(1);
  await locks[0]?.release();
});
