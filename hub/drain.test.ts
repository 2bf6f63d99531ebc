// The hub's end, as a process that gets SIGTERM: whoever waits is answered, what was taken is written, and it is over in time.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "./store/sqlite.ts";
import { until } from "./testing/test-hub.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const JOIN = "join-token-of-a-test";
let dir: string;
let child: ChildProcess;
let url: string;
let ended: Promise<number | null>;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "context-edge-drain-"));
  writeFileSync(join(dir, "join"), JOIN);
});
afterEach(async () => {
  if (child.exitCode === null) child.kill("SIGKILL");
  await ended;
  rmSync(dir, { recursive: true, force: true });
});

async function start(settings: Record<string, string>): Promise<void> {
  child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      HUB_PORT: "0",
      HUB_DATA: join(dir, "data"),
      HUB_JOIN_TOKEN_FILE: join(dir, "join"),
      ...settings,
      HUB_DASHBOARD_DIR: join(dir, "none"),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  ended = new Promise((resolve) => child.once("exit", resolve));
  url = await new Promise<string>((resolve) => {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const found = /http:\/\/[0-9.:]+/.exec(text)?.[0];
      if (found) resolve(found);
    });
  });
}

async function enroll(id: string): Promise<{ authorization: string }> {
  const body = JSON.stringify({ join_token: JOIN, device_id: id, inventory: { agent_version: "t", arch: "x" } });
  const answer = await fetch(`${url}/device/v1/enroll`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  return { authorization: `Bearer ${((await answer.json()) as { credential: string }).credential}` };
}

test("held polls get a 304, live pages a time to come back, /readyz fails first, and a report that came last is kept", async () => {
  await start({ HUB_SHUTDOWN_SECONDS: "4", HUB_DRAIN_SECONDS: "1" });
  const devices = await Promise.all(["edge-1", "edge-2", "edge-3"].map(enroll));
  const [first = { authorization: "" }] = devices;
  const etag = (await fetch(`${url}/device/v1/manifest`, { headers: first })).headers.get("etag") ?? "";
  const held = devices.map(async (headers) => {
    const answer = await fetch(`${url}/device/v1/manifest`, {
      headers: { ...headers, "if-none-match": etag, prefer: "wait=60" },
    });
    return { status: answer.status, connection: answer.headers.get("connection") };
  });
  const live = fetch(`${url}/api/v1/events`).then((answer) => answer.text());
  let polls = 0;
  while (polls < 3) {
    const text = await (await fetch(`${url}/metrics`)).text();
    polls = Number(/^context_edge_polls_held (\d+)/m.exec(text)?.[1] ?? 0);
  }
  const startedMs = performance.now();
  child.kill("SIGTERM");
  let ready = 200;
  while (ready === 200) ready = (await fetch(`${url}/readyz`)).status;
  expect(ready).toBe(503);
  const report = { device: "edge-1", outbox: crypto.randomUUID(), observed: null, outcomes: [] };
  const reported = await fetch(`${url}/device/v1/reports`, {
    method: "POST",
    body: JSON.stringify(report),
    headers: { ...first, "content-type": "application/json" },
  });
  expect(reported.status).toBe(200);
  const letGo = { status: 304, connection: "close" };
  expect(await Promise.all(held)).toEqual([letGo, letGo, letGo]);
  const retries = [...(await live).matchAll(/^retry: (\d+)$/gm)].map((match) => Number(match[1]));
  expect(retries.at(-1)).toBeGreaterThanOrEqual(1_000);
  expect(await ended).toBe(0);
  expect(performance.now() - startedMs).toBeLessThan(8_000);
  const store = await openSqlite(join(dir, "data", "hub.sqlite"));
  expect(await store.devices.find("edge-1")).toMatchObject({ outbox: report.outbox });
  await store.close();
});

test("with nothing held it still serves for a while, with /readyz failing on every new connection, then ends", async () => {
  await start({ HUB_SHUTDOWN_SECONDS: "10", HUB_DRAIN_SECONDS: "2" });
  const ask = (path: string) =>
    fetch(`${url}${path}`).then(
      async (answer) => ({
        status: answer.status,
        connection: answer.headers.get("connection"),
        body: await answer.text(),
      }),
      () => null,
    );
  expect(await ask("/readyz")).toMatchObject({ status: 200, connection: "keep-alive" });
  child.kill("SIGTERM");
  await until(async () => (await ask("/readyz"))?.status === 503);
  expect(await ask("/readyz")).toMatchObject({
    status: 503,
    connection: "close",
    body: expect.stringContaining("about to stop"),
  });
  for (const path of ["/healthz", "/api/v1/groups", "/metrics"])
    expect(await ask(path)).toMatchObject({ status: 200, connection: "close" });
  expect(await ended).toBe(0);
  expect(await ask("/readyz")).toBeNull();
});
