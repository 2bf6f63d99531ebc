// Signing in: what is kept, what outranks what, what a refusal looks like, and that no secret is ever shown.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { json, MAIN, openScene, type Scene } from "./testing/run-cli.ts";

const TOKEN = "a-token-of-a-test-1234";
let at: Scene;
let dir: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "context-edge-token-"));
  writeFileSync(join(dir, "token"), TOKEN);
  at = await openScene({ HUB_AUTH: "token", HUB_API_TOKEN_FILE: join(dir, "token") });
  delete at.environment["CONTEXT_EDGE_URL"];
});
afterEach(async () => {
  await at.close();
  rmSync(dir, { recursive: true, force: true });
});
const configFile = () => join(at.dir, "config", "context-edge", "config.json");

test("a token from a pipe is tried, kept for its owner only, used from then on, and forgotten by logout", async () => {
  const login = await at.run(["login", `${at.url}/`, "--token-stdin"], { stdin: `${TOKEN}\n` });
  expect(login.code, login.stderr).toBe(0);
  expect(statSync(configFile()).mode & 0o777).toBe(0o600);
  expect(statSync(join(configFile(), "..")).mode & 0o777).toBe(0o700);
  const status = await at.run(["status"]);
  expect(status.code, status.stderr).toBe(0);
  expect(status.stdout).toContain(`hub   ${at.url}`);
  const logout = await at.run(["logout"]);
  expect(logout.stdout).toContain("Forgot");
  expect(readFileSync(configFile(), "utf8")).not.toContain(TOKEN);
  const after = await at.run(["status"]);
  expect(after.code).toBe(2);
  for (const one of [login, status, logout, after]) expect(one.stdout + one.stderr).not.toContain(TOKEN);
});

test("a wrong token ends 6 and is not kept", async () => {
  const ended = await at.run(["login", at.url, "--token-stdin"], { stdin: "something-else-entirely" });
  expect(ended.code).toBe(6);
  expect(ended.stderr).toContain("UNAUTHENTICATED");
  expect(ended.stdout + ended.stderr).not.toContain("something-else");
  expect(() => statSync(configFile())).toThrow("ENOENT");
});

test("CONTEXT_EDGE_TOKEN outranks what is remembered, and a refused one ends 6 with the way to sign in", async () => {
  const env = { CONTEXT_EDGE_URL: at.url, CONTEXT_EDGE_TOKEN: TOKEN };
  expect((await at.run(["devices"], { env })).code).toBe(0);
  const refused = await at.run(["devices", "--json"], { env: { ...env, CONTEXT_EDGE_TOKEN: "not-the-token-at-all" } });
  expect(refused.code).toBe(6);
  expect(json(refused)).toMatchObject({ code: "UNAUTHENTICATED", status: 401 });
  expect(refused.stderr).toContain("context-edge login");
  expect(refused.stdout + refused.stderr).not.toContain("not-the-token");
});

test("without a token, looking and changing end 6", async () => {
  for (const words of [["status"], ["deploy", "--group", "a", "--version", "v1"], ["audit"]]) {
    const ended = await at.run([...words, "--hub", at.url]);
    expect(ended.code).toBe(6);
    expect(ended.stderr).toContain("UNAUTHENTICATED");
  }
  const file = at.file("model.onnx", "one");
  const publish = await at.run(["publish", file, "--version", "v1", "--accuracy", "1", "--unsigned", "--hub", at.url]);
  expect(publish.code).toBe(6);
});

test("a hub that cannot be reached ends 5", async () => {
  const ended = await at.run(["login", "http://127.0.0.1:9"]);
  expect(ended).toMatchObject({ code: 5, stdout: "" });
  expect(ended.stderr).toMatch(/127\.0\.0\.1:9 cannot be reached \(ECONNREFUSED\).*HUB_UNREACHABLE/);
});

test("on a terminal the token is asked for and not echoed", async () => {
  const { NODE_OPTIONS: _none, ...rest } = process.env;
  const typed = spawn("script", ["-qec", `${process.execPath} ${MAIN} login ${at.url}`, "/dev/null"], {
    env: { ...rest, ...at.environment },
    stdio: "pipe",
  });
  let screen = "";
  typed.stdout.on("data", (chunk) => {
    const wasAsked = screen.includes("Token:");
    screen += String(chunk);
    if (!wasAsked && screen.includes("Token:")) typed.stdin.write(`${TOKEN}\r`);
  });
  const code = await new Promise((resolve) => typed.once("close", resolve));
  expect(code, screen).toBe(0);
  expect(screen).toContain("Signed in");
  expect(screen).not.toContain(TOKEN);
  expect(readFileSync(configFile(), "utf8")).toContain(TOKEN);
});

test("a settings file that cannot be read is said to be so, with what to do", async () => {
  await at.run(["login", at.url, "--token-stdin"], { stdin: TOKEN });
  writeFileSync(configFile(), "{ half");
  const ended = await at.run(["status"]);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain(configFile());
});
