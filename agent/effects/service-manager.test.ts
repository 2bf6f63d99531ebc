// What systemd is told: a real program in the place of systemd-notify writes down what it was called with.
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tempDir } from "../testing/temp-dir.ts";
import { eventually } from "../testing/test-device.ts";
import { keepTelling, serviceManager } from "./service-manager.ts";
import { vitals } from "./vitals.ts";

const PATH = process.env["PATH"];
const log = pino({ level: "silent" });
let said: () => Promise<string[]>;

beforeEach(async () => {
  const dir = await tempDir();
  const program = join(dir, "systemd-notify");
  await writeFile(program, `#!/bin/sh\nprintf '%s|' "$@" >> "${dir}/said"\necho >> "${dir}/said"\n`);
  await chmod(program, 0o755);
  process.env["PATH"] = `${dir}:${PATH}`;
  said = async () => (await readFile(join(dir, "said"), "utf8").catch(() => "")).split("\n").slice(0, -1);
});
afterEach(() => {
  process.env["PATH"] = PATH;
});

test.each([
  [{}, null],
  [{ NOTIFY_SOCKET: "/run/systemd/notify" }, { watchdogMs: null }],
  [{ NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "180000000" }, { watchdogMs: 180_000 }],
  [{ NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "180000000", WATCHDOG_PID: "7" }, { watchdogMs: 180_000 }],
  // Set for the process that started this one.
  [{ NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "180000000", WATCHDOG_PID: "8" }, { watchdogMs: null }],
])("the environment %j is read as %j", (environment, expected) => {
  const manager = serviceManager(environment, 7);
  expect(manager && { watchdogMs: manager.watchdogMs }).toEqual(expected);
});

test("an agent whose loops move is ready and alive, and says when it stops", async () => {
  const manager = serviceManager({ NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "60000" }, 1);
  if (!manager) throw new Error("there is a manager");
  const stop = new AbortController();
  const telling = keepTelling({ manager, vitals: vitals(), status: () => "idle: default v2.1", log }, stop.signal);
  await eventually("it is told twice", async () => (await said()).length >= 2);
  stop.abort();
  await telling;
  const lines = await said();
  expect(lines[0]).toBe("READY=1|WATCHDOG=1|STATUS=idle: default v2.1|");
  expect(lines.at(-1)).toBe("STOPPING=1|STATUS=stopping|");
});

test("a loop that stands still longer than it said ends the signs of life, and they begin again when it moves", async () => {
  const manager = serviceManager({ NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "60000" }, 1);
  if (!manager) throw new Error("there is a manager");
  const stop = new AbortController();
  let now = 0;
  const signs = vitals(() => now);
  signs.expect("the loop of default", "examine", 1_000);
  now = 2_000;
  const telling = keepTelling({ manager, vitals: signs, status: () => "probing", log }, stop.signal);
  await eventually("it is told twice", async () => (await said()).length >= 2);
  expect((await said()).join("\n")).not.toContain("WATCHDOG");
  expect((await said())[0]).toBe('STATUS=stands still: the loop of default has been about "examine" for 2 s|');
  signs.expect("the loop of default", "record", 1_000);
  await eventually("it lives", async () => (await said()).at(-1)?.includes("WATCHDOG=1") === true);
  stop.abort();
  await telling;
});
