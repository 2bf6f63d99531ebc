// What systemd is told of the hub: a real program in the place of systemd-notify writes down what it was called with.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { serviceManager } from "./service-manager.ts";

const PATH = process.env["PATH"];
const WATCHED = { NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "60000" };
const log = { fatal: () => undefined };
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "notify-"));
  const program = join(dir, "systemd-notify");
  writeFileSync(program, `#!/bin/sh\nprintf '%s|' "$@" >> "${dir}/said"\necho >> "${dir}/said"\n`);
  writeFileSync(join(dir, "said"), "");
  chmodSync(program, 0o755);
  process.env["PATH"] = `${dir}:${PATH}`;
});
afterEach(() => {
  process.env["PATH"] = PATH;
  rmSync(dir, { recursive: true });
});

const said = () => readFileSync(join(dir, "said"), "utf8").split("\n").slice(0, -1);
async function untilSaid(count: number): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (said().length < count) {
    if (performance.now() > endMs) throw new Error(`only said: ${said().join("\n")}`);
    await pause(10);
  }
}

test("a hub is ready and alive while rounds end, and says that it drains", async () => {
  const stop = new AbortController();
  const telling = serviceManager(WATCHED, 1)?.keepTelling(
    { sinceRoundMs: () => 1, status: () => "up", log },
    stop.signal,
  );
  await untilSaid(2);
  stop.abort();
  await telling;
  expect(said()[0]).toBe("READY=1|WATCHDOG=1|STATUS=up|");
  expect(said().at(-1)).toBe("STOPPING=1|STATUS=draining|");
});

test("a conductor that stands still ends the signs of life", async () => {
  const stop = new AbortController();
  const stands = { sinceRoundMs: () => 3_600_000, status: () => "up", log };
  const telling = serviceManager(WATCHED, 1)?.keepTelling(stands, stop.signal);
  await untilSaid(2);
  stop.abort();
  await telling;
  expect(said().join("\n")).not.toContain("WATCHDOG");
});

test("without systemd nobody is told", () => {
  expect(serviceManager({ WATCHDOG_USEC: "60000" }, 1)).toBeNull();
});
