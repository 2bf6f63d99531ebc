// What the hub logs: who changed what, what broke off, what happened to the fleet; and what it does not.
import { closeSync, fstatSync, openSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildApp } from "../app.ts";
import { openTestHub, type TestHub, until } from "../testing/test-hub.ts";
import { logEvents } from "./event-log.ts";
import { isJournal, openLog } from "./log.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

function listening() {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  return { lines, log: openLog("info", { stream, isJournal: false }) };
}
const said = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

test("a request has a name: the caller's when it is fit for a log, else one of the hub's", async () => {
  const nameOf = async (given: string) =>
    (await hub.app.inject({ url: "/api/v1/groups", headers: { "x-request-id": given } })).headers["x-request-id"];
  expect(await nameOf("ci-run/42")).toBe("ci-run/42");
  const own = await nameOf('"} forged\tline');
  expect(own).toMatch(/^[\w-]{8}-\w+$/);
  expect(await nameOf("x".repeat(65))).not.toBe(own);
});

test("one line for what people change, with who and how long, none for polls and reading, and no secret in any", async () => {
  const { lines, log } = listening();
  const app = await buildApp({ ...hub.hub, log });
  const device = await hub.enroll("edge-001");
  await app.inject({ url: "/device/v1/manifest", headers: device.headers });
  await app.inject("/api/v1/groups");
  await app.inject({
    method: "POST",
    url: "/mlops/models/v1/approve?token=hush",
    headers: { authorization: "Bearer hush", "x-request-id": "abc" },
    payload: {},
  });
  await app.close();
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    id: "abc",
    actor: "local engineer",
    method: "POST",
    path: "/mlops/models/v1/approve",
    level: 30,
    status: 404,
    code: "VERSION_UNKNOWN",
    ms: expect.any(Number),
  });
  expect(lines[0]).not.toContain("hush");
});

test("times are ones that people can read, and what failed for the hub's own reasons is a warning with its code", async () => {
  const { lines, log } = listening();
  const full = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
  const changes = { ...hub.hub.changes, make: () => Promise.reject(full) };
  const app = await buildApp({ ...hub.hub, changes, log });
  await app.inject({ method: "POST", url: "/api/v1/groups", payload: { name: "north" } });
  await app.close();
  expect(said(lines)).toMatchObject([{ level: 40, status: 503, code: "STORE_UNAVAILABLE" }]);
  expect(said(lines)[0]?.["time"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("an upload that broke off is in the log, with who, what and how much was to come", async () => {
  const { lines, log } = listening();
  const app = await buildApp({ ...hub.hub, log });
  const { port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  const socket = connect(Number(port), "127.0.0.1");
  const path = `/mlops/artifacts/${"1".repeat(64)}`;
  socket.write(
    `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\nContent-Length: 9000\r\n\r\nbegun`,
  );
  await until(async () => (await hub.hub.artifacts.uploadedBytes("1".repeat(64))) > 0);
  socket.destroy();
  await until(async () => lines.length > 0);
  expect(said(lines)).toMatchObject([
    { level: 40, actor: "local engineer", method: "PUT", path, expected_bytes: 9_000, msg: "the request broke off" },
  ]);
  await app.close();
});

test("deployments, gates and quarantines are in the log, halts as warnings; only the leader tells them", async () => {
  const { lines, log } = listening();
  let isLeader = true;
  logEvents({ changes: hub.hub.changes, isLeader: () => isLeader }, log);
  await hub.register("v1");
  const { digest } = await hub.register("v2");
  const device = await hub.enroll("edge-001", "north");
  await device.report("v1");
  const put = await hub.call("PUT", "/api/v1/groups/north/target", { version: "v2" });
  await device.report("v1", {
    version: "v2",
    digest,
    outcome: "rolled-back",
    code: "LATENCY_OVER_BASELINE",
    deployment_id: String(put.body["id"]),
  });
  await until(async () => said(lines).some(({ kind }) => kind === "deployment.paused"));
  await hub.call("POST", "/api/v1/quarantines", { version: "v2", reason: "too slow" });
  expect(said(lines).map(({ level, kind, actor }) => [level, kind, actor])).toEqual([
    [30, "deployment.created", "local engineer"],
    [40, "deployment.paused", "conductor"],
    [40, "quarantine.added", "local engineer"],
  ]);
  expect(said(lines)[1]).toMatchObject({
    subject: put.body["id"],
    msg: expect.stringContaining("LATENCY_OVER_BASELINE"),
  });
  isLeader = false;
  await hub.call("POST", `/api/v1/quarantines/${digest}/lift`, { reason: "a mistake" });
  expect(lines).toHaveLength(3);
});

describe("in the journal", () => {
  test("each line begins with its priority, and nowhere else", () => {
    const written: string[] = [];
    const stream = { write: (line: string) => void written.push(line) };
    for (const prefixed of [true, false]) {
      const log = openLog("info", { stream, isJournal: prefixed });
      log.info("well");
      log.warn("hm");
      log.error("no");
    }
    expect(written.map((line) => line.slice(0, 12))).toEqual([
      '<6>{"level":',
      '<4>{"level":',
      '<3>{"level":',
      ...Array.from({ length: 3 }, () => '{"level":').map((start, at) => `${start}${3 + at}0,`),
    ]);
  });
  test("is where stdout is the very stream that systemd speaks of", () => {
    const fd = openSync(join(hub.dir, "join"), "r");
    const { dev, ino } = fstatSync(fd);
    expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, fd)).toBe(true);
    expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino + 1}` }, fd)).toBe(false);
    expect(isJournal({}, fd)).toBe(false);
    closeSync(fd);
  });
});
