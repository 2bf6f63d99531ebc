// The hub as a process, and its commands beside it: the first start, what a running hub heeds at once, and no secret left anywhere.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../testing/test-hub.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const JOIN_TOKEN = "the-join-token-in-a-file";
let dir: string;
let env: NodeJS.ProcessEnv;
let hub: ChildProcess | undefined;
let printed = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "context-edge-people-"));
  writeFileSync(join(dir, "join"), JOIN_TOKEN);
  env = {
    ...process.env,
    HUB_DATA: join(dir, "data"),
    HUB_AUTH: "accounts",
    HUB_PORT: "0",
    HUB_LOG_LEVEL: "trace",
    HUB_JOIN_TOKEN_FILE: join(dir, "join"),
  };
  printed = "";
});
afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<string> {
  hub = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [hub.stdout, hub.stderr]) stream?.on("data", (chunk) => (printed += String(chunk)));
  return until(async () => /"address":"(http[^"]+)"/.exec(printed)?.[1], 15_000);
}
async function stop(): Promise<void> {
  const stopping = hub;
  hub = undefined;
  if (!stopping || stopping.exitCode !== null) return;
  const ended = new Promise((resolve) => stopping.once("exit", resolve));
  stopping.kill("SIGTERM");
  await ended;
}
function run(words: string[], input = ""): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...words], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, out, err }),
    );
    child.stdin?.end(input);
  });
}
const send = async (url: string, method: string, body?: object, headers: Record<string, string> = {}) => {
  const json = body ? { "content-type": "application/json" } : {};
  const response = await fetch(url, {
    method,
    headers: { ...json, ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return {
    status: response.status,
    cookie: response.headers.getSetCookie()[0]?.split(";")[0] ?? "",
    text: await response.text(),
  };
};

test("`user link` makes the first admin, and a first start says so; no secret is in log, database or audit", async () => {
  const base = await start();
  await until(async () => printed.includes("user link"));
  const told = await run(["user", "link"]);
  const link = /\/setup#(cel_[\w-]+)/.exec(told.out)?.[1] ?? "nothing";
  const secrets: string[] = ["ada's first password", "not ada's password", "a wrong one altogether", JOIN_TOKEN];
  const setup = { secret: link, name: "ada", password: "ada's first password" };
  const admin = await send(`${base}/api/v1/setup`, "POST", setup);
  expect(admin.status).toBe(200);
  // With a key to send it again by, the hub keeps its answers: not these.
  const cookie = { cookie: admin.cookie };
  await send(`${base}/api/v1/session`, "POST", { name: "ada", password: "not ada's password" });
  // Typed into the wrong field: a name that is a password.
  await send(`${base}/api/v1/session`, "POST", { name: "a wrong one altogether", password: "x" });
  const again = await send(`${base}/api/v1/session`, "POST", { name: "ada", password: "ada's first password" });
  const made = [
    await send(
      `${base}/api/v1/tokens`,
      "POST",
      { name: "ci", scope: "publisher" },
      { ...cookie, "idempotency-key": "1" },
    ),
    await send(`${base}/api/v1/join-%74okens`, "POST", { name: "batch" }, { ...cookie, "idempotency-key": "2" }),
    await send(
      `${base}/api/v1/users`,
      "POST",
      { name: "erik", role: "engineer" },
      { ...cookie, "idempotency-key": "3" },
    ),
  ];
  const found = made.map(({ text }) => /c(?:et|ej|el)_[\w-]{43}/.exec(text)?.[0] ?? "nothing");
  const enrolment = { join_token: JOIN_TOKEN, device_id: "edge-1", inventory: { agent_version: "1", arch: "x" } };
  const enrolled = await send(`${base}/device/v1/enroll`, "POST", enrolment);
  found.push(/ced_[\w-]{43}/.exec(enrolled.text)?.[0] ?? "nothing");
  await send(`${base}/api/v1/groups`, "GET", undefined, { authorization: `Bearer ${found[0]}` });
  await send(`${base}/api/v1/groups?token=x`, "POST", { name: "x" }, { authorization: `Bearer ${found[0]}x` });
  secrets.push(...found, ...[admin, again].map((answer) => answer.cookie.split("=")[1] ?? "nothing"));
  expect([...secrets, link]).not.toContain("nothing");

  expect(await run(["user", "link"])).toMatchObject({ code: 1, err: expect.stringContaining("accounts already") });
  const exported = await run(["audit", "export"]);
  expect(exported.out).toContain("user.signed-in");
  const wal = () => readdirSync(join(dir, "data")).filter((name) => name.startsWith("hub.sqlite"));
  const places: [string, string][] = [
    ["audit", exported.out],
    ["log", printed],
    ...wal().map((name): [string, string] => [name, readFileSync(join(dir, "data", name), "latin1")]),
  ];
  await stop();
  places.push(...wal().map((name): [string, string] => [name, readFileSync(join(dir, "data", name), "latin1")]));
  for (const [place, text] of places) {
    expect(text.length).toBeGreaterThan(0);
    for (const secret of [...secrets, link]) expect(text.includes(secret), `${secret} in ${place}`).toBe(false);
  }
  expect(
    places.some(([, text]) => text.includes("$argon2id$")),
    "the search would find what is there",
  ).toBe(true);
}, 60_000);

describe("commands beside a running hub", () => {
  test("an account and a token are good at once, and no more as soon as they are taken away", async () => {
    const base = await start();
    writeFileSync(join(dir, "password"), "a password in a file\n");
    const added = await run(["user", "add", "Grace", "--role", "admin", "--password-file", join(dir, "password")]);
    expect(added).toMatchObject({ code: 0, out: "grace is admin.\n" });
    const signIn = () => send(`${base}/api/v1/session`, "POST", { name: "grace", password: "a password in a file" });
    const session = await signIn();
    expect(session.status).toBe(200);

    const token = (await run(["token", "create", "ci", "--scope=viewer", "--expires", "90d"])).out.trim();
    const devices = (headers: Record<string, string>) => send(`${base}/api/v1/devices`, "GET", undefined, headers);
    const bearer = { authorization: `Bearer ${token}` };
    expect((await devices(bearer)).status).toBe(200);
    expect((await run(["token", "list"])).out).toMatch(/^NAME .*\nci +cet_.{4}… +viewer +\d{4}-/);
    expect((await run(["token", "revoke", "ci"])).code).toBe(0);
    expect((await devices(bearer)).status).toBe(401);

    const join1 = (await run(["join-token", "create", "--group", "line-7", "--uses", "1"])).out.trim();
    const inventory = { agent_version: "1", arch: "x" };
    const enrol = (id: string) =>
      send(`${base}/device/v1/enroll`, "POST", { join_token: join1, device_id: id, inventory });
    expect((await enrol("edge-1")).text).toContain("line-7");
    expect((await enrol("edge-2")).status).toBe(403);

    expect(
      (await run(["user", "add", "second", "--role", "admin", "--password-file", "-"], "typed on a pipe\n")).code,
    ).toBe(0);
    expect((await run(["user", "disable", "grace"])).code).toBe(0);
    expect((await devices({ cookie: session.cookie })).status).toBe(401);
    expect((await signIn()).status).toBe(401);
    expect((await run(["user", "disable", "second"])).err).toContain("the only admin");

    const reset = await run(["user", "reset", "second"]);
    const secret = /#(cel_[\w-]+)/.exec(reset.out)?.[1];
    const chosen = await send(`${base}/api/v1/setup`, "POST", { secret, password: "chosen with the link" });
    expect(chosen.status).toBe(200);
    expect((await run(["user", "list"])).out).toMatch(/grace +admin +password +\d{4}-\d\d-\d\d +disabled/);
    expect((await run(["audit", "verify"])).code, "the history of both processes is one chain").toBe(0);
    expect((await run(["audit", "export"])).out).toMatch(/"actor":"command line \(\w+\)"/);
  }, 60_000);

  test.each([
    [["user"]],
    [["user", "add", "x y", "--role", "admin"]],
    [["user", "add", "grace", "--role", "king"]],
    [["user", "add", "grace", "--rule", "admin"]],
    [["token", "create", "ci"]],
    [["token", "create", "ci", "--scope", "viewer", "--expires", "soon"]],
    [["join-token", "create", "--uses", "many"]],
  ])("%j is wrong use and says what is right", async (words) => {
    const ended = await run(words);
    expect(ended.code).toBe(2);
    expect(ended.err.length).toBeGreaterThan(10);
  });
});
