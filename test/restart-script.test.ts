// The host's side of a restart request, run as it is shipped, against the agent's own reloader; only systemctl is a stand-in.
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { systemdPathReloader } from "@context-edge/agent/effects/reloaders/systemd-path.ts";
import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../systemd/restart-inference", import.meta.url));
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "requests-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** What the path unit does: sees the request, starts the oneshot. */
async function answerOnce(systemctl: string): Promise<void> {
  const bin = join(dir, "systemctl");
  writeFileSync(bin, `#!/bin/sh\necho "$@" >> "${dir}/calls"\n[ "$1" = restart ] || exit 0\n${systemctl}\n`);
  chmodSync(bin, 0o755);
  // Links that lead nowhere are requests to a path unit too, hence no existsSync.
  while (!lstatSync(join(dir, "restart"), { throwIfNoEntry: false })) await wait(10);
  const child = spawn(SCRIPT, ["inference.service", dir], { env: { PATH: `${dir}:/usr/bin:/bin` } });
  await new Promise((resolve) => child.once("exit", resolve));
}

const reload = () =>
  systemdPathReloader(dir).reload(
    { model: "default", file: null, link: join(dir, "current.trt"), budgetMs: 10_000 },
    new AbortController().signal,
  );

test("a request is answered by its own id once the unit was restarted, and is gone from the directory", async () => {
  const [result] = await Promise.all([reload(), answerOnce("exit 0")]);
  expect(result).toEqual({ ok: true });
  expect(existsSync(join(dir, "restart"))).toBe(false);
  expect(readFileSync(join(dir, "calls"), "utf8")).toBe("reset-failed inference.service\nrestart inference.service\n");
});

test("a unit that does not start is told with its reason", async () => {
  const [result] = await Promise.all([reload(), answerOnce("echo 'Job failed, see journalctl'; exit 1")]);
  expect(result).toMatchObject({
    ok: false,
    mishap: { code: "RELOAD_FAILED", evidence: { detail: "Job failed, see journalctl" } },
  });
});

test("an id that is no id cannot become anything else", async () => {
  writeFileSync(join(dir, "restart"), '../x"; rm -rf /\n');
  await answerOnce("exit 0");
  expect(readFileSync(join(dir, "result"), "utf8")).toBe("xrm-rf ok\n");
});

const calls = () => (existsSync(join(dir, "calls")) ? readFileSync(join(dir, "calls"), "utf8") : "");

test("a link in the place of a request leads root to read no other file", async () => {
  writeFileSync(join(dir, "secret"), "root-hash-1\n");
  symlinkSync(join(dir, "secret"), join(dir, "restart"));
  await answerOnce("exit 0");
  expect(existsSync(join(dir, "result"))).toBe(false);
  expect(calls()).toBe("");
});

test.each([".result.next", "result"])("a link planted as %s leads root to write no other file", async (name) => {
  writeFileSync(join(dir, "precious"), "precious");
  symlinkSync(join(dir, "precious"), join(dir, name));
  writeFileSync(join(dir, "restart"), "an-id\n");
  await answerOnce("exit 0");
  expect(readFileSync(join(dir, "precious"), "utf8")).toBe("precious");
  expect(readFileSync(join(dir, "result"), "utf8")).toBe("an-id ok\n");
});

test("a pipe nobody writes to, and an empty request, hold nothing up and restart nothing", async () => {
  execFileSync("mkfifo", [join(dir, "restart")]);
  await answerOnce("exit 0");
  writeFileSync(join(dir, "restart"), "");
  await answerOnce("exit 0");
  expect(calls()).toBe("");
  expect(existsSync(join(dir, "restart"))).toBe(false);
});
