// The outbox keeps every outcome until the hub has it, once, across restarts and damage.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OutcomeReport } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { tempDir } from "../testing/temp-dir.ts";
import { openOutbox } from "./outbox.ts";

const outcome = (version: string, kind: OutcomeReport["outcome"] = "committed"): OutcomeReport => ({
  model: "default",
  version,
  digest: "a".repeat(64),
  deployment_id: "d",
  outcome: kind,
  code: "OK",
  message: "",
  next_step: "",
  at: "2026-01-01T00:00:00.000Z",
  evidence: {},
});
const versions = (outbox: Awaited<ReturnType<typeof openOutbox>>) => outbox.pending().map((one) => one.report.version);

test("outcomes survive a restart in order, the same attempt is kept once, also after it was acknowledged", async () => {
  const path = join(await tempDir(), "outbox.json");
  const outbox = await openOutbox(path);
  await Promise.all([outbox.put("a", outcome("v1")), outbox.put("b", outcome("v2")), outbox.put("a", outcome("v1"))]);
  const again = await openOutbox(path);
  expect(again.id).toBe(outbox.id);
  expect(versions(again)).toEqual(["v1", "v2"]);
  await again.acknowledged(1);
  await again.put("a", outcome("v1"));
  expect(versions(await openOutbox(path))).toEqual(["v2"]);
});

test("numbers of observed states rise across restarts without a write for each", async () => {
  const path = join(await tempDir(), "outbox.json");
  const first = await openOutbox(path);
  const numbers = [await first.nextObservedNumber(), await first.nextObservedNumber()];
  expect(numbers[1]).toBeGreaterThan(numbers[0] ?? 0);
  expect(await (await openOutbox(path)).nextObservedNumber()).toBeGreaterThan(numbers[1] ?? 0);
});

test("a damaged outbox starts anew under another name, with what its copy still held", async () => {
  const path = join(await tempDir(), "outbox.json");
  const outbox = await openOutbox(path);
  await outbox.put("a", outcome("v1"));
  await outbox.put("b", outcome("v2"));
  await writeFile(path, "torn");
  const again = await openOutbox(path);
  expect(again.id).not.toBe(outbox.id);
  expect(again.pending()).toMatchObject([{ number: 1, report: { version: "v1" } }]);
});

test("fault 54: months without a hub keep every outcome that decided something, and one entry for the same failure again and again", async () => {
  const path = join(await tempDir(), "outbox.json");
  const outbox = await openOutbox(path);
  await outbox.put("first", outcome("v1"));
  for (let day = 0; day < 200; day += 1) {
    await outbox.put(`failed-${day}`, { ...outcome("v2", "failed"), code: "DISK_FULL", message: "the disk is full" });
    if (day % 50 === 0) await outbox.put(`rejected-${day}`, outcome(`v3-${day}`, "rejected"));
  }
  const kept = (await openOutbox(path)).pending();
  expect(kept.map(({ report }) => report.version)).toEqual(["v1", "v3-0", "v3-50", "v3-100", "v3-150", "v2"]);
  expect(kept.at(-1)?.report.message).toBe("the disk is full (tried 200 times since 2026-01-01T00:00:00.000Z)");
  const numbers = kept.map(({ number }) => number);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
});
