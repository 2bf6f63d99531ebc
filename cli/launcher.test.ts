// How the command starts where the host's Node is an older one, or the project's own is not there.
import { spawn } from "node:child_process";
import { copyFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openShell, type Ended, type Shell } from "./testing/run-cli.ts";

const LAUNCHER = fileURLToPath(new URL("../node_modules/.bin/context-edge", import.meta.url));
let shell: Shell;
let older: string;
beforeAll(() => {
  shell = openShell();
  older = shell.file(
    "older.cjs",
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });
     Object.defineProperty(process, "version", { value: "v20.20.2" });`,
  );
});
afterAll(() => shell.close());

function start(args: readonly string[]) {
  const child = spawn(process.execPath, args, { env: shell.environment, stdio: "pipe" });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
  return { child, ended };
}

test("under an older Node it runs with the project's own, and ends as that does", async () => {
  const version = await start(["-r", older, LAUNCHER, "--version"]).ended;
  expect(version).toEqual({ code: 0, stdout: "0.1.0\n", stderr: "" });
  const wrong = await start(["-r", older, LAUNCHER, "devices", ""]).ended;
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toContain("<device> is empty");
});

test("under a Node that can, it is one process", async () => {
  expect(await start([LAUNCHER, "--version"]).ended).toEqual({ code: 0, stdout: "0.1.0\n", stderr: "" });
});

test("who ends it ends what it started, and learns how that ended", async () => {
  // A hub that never answers: once it was asked, the inner process is at work.
  const server = createServer();
  const asked = new Promise<Socket>((resolve) => server.once("request", ({ socket }) => resolve(socket)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { child, ended } = start(["-r", older, LAUNCHER, "login", `http://127.0.0.1:${port}`]);
  const socket = await asked;
  const gone = new Promise((resolve) => socket.once("close", resolve));
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toContain("Stopped.");
  await gone;
  server.close();
});

test("where the project's own Node is not installed, it says what to do", async () => {
  const alone = join(shell.dir, "context-edge.cjs");
  copyFileSync(fileURLToPath(new URL("./context-edge.cjs", import.meta.url)), alone);
  const ended = await start(["-r", older, alone, "status"]).ended;
  expect(ended).toMatchObject({ code: 1, stdout: "" });
  expect(ended.stderr).toMatch(/needs Node 26 or newer, this is v20\.20\.2[^]*npm ci/);
});
