// Polls on a real socket: byte for byte what a device is promised, who is forgotten when something changes, and what a restart or a slow sender does.
import { createHash } from "node:crypto";
import { Agent, request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";

import { buildApp } from "./app.ts";
import { frontDoor } from "./front-door.ts";
import { openHub } from "./hub.ts";
import { credentialOf, putDevices } from "./testing/many-devices.ts";
import { openTestHub, type TestHub, until } from "./testing/test-hub.ts";

let test_: TestHub;
let port: number;
beforeEach(async () => {
  test_ = await openTestHub();
  await test_.app.listen({ port: 0, host: "127.0.0.1" });
  port = (test_.app.server.address() as AddressInfo).port;
});
afterEach(() => test_.close());

interface Reply {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

async function poll(headers: Record<string, string>, signal?: AbortSignal, agent?: Agent, at = port): Promise<Reply> {
  const sent = httpRequest({
    port: at,
    host: "127.0.0.1",
    path: "/device/v1/manifest",
    headers,
    ...(signal ? { signal } : {}),
    ...(agent ? { agent } : {}),
  }).end();
  const [response] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
  const body = await buffer(response);
  return { status: response.statusCode ?? 0, headers: response.headers, body: body.toString() };
}

const held = (count: number) => until(async () => test_.hub.polls.counts().held === count);

test("a poll on the wire says the same as the route behind it", async () => {
  const device = await test_.enroll("edge-1");
  const direct = await poll(device.headers);
  const behind = await test_.app.inject({ method: "GET", url: "/device/v1/manifest?", headers: device.headers });
  expect(direct).toMatchObject({ status: 200, body: behind.body });
  for (const name of ["etag", "content-type", "content-length", "context-edge-assignment"]) {
    expect(direct.headers[name], name).toBe(behind.headers[name]);
    expect(direct.headers[name]).toBeDefined();
  }
  const unchanged = await poll({ ...device.headers, "if-none-match": String(direct.headers["etag"]) });
  expect(unchanged).toMatchObject({ status: 304, body: "" });
  expect(unchanged.headers).toMatchObject({
    etag: direct.headers["etag"],
    "context-edge-assignment": direct.headers["context-edge-assignment"],
  });
});

test.each([
  ["nobody", {}, 401, "UNAUTHENTICATED"],
  ["a stranger", { authorization: "Bearer ced_unknown" }, 401, "UNAUTHENTICATED"],
  ["somebody with another scheme", { authorization: "Basic YTpi" }, 401, "UNAUTHENTICATED"],
])("%s is refused with a problem document", async (_who, headers, status, code) => {
  const refused = await poll(headers);
  expect(refused.status).toBe(status);
  expect(refused.headers["content-type"]).toBe("application/problem+json");
  expect(JSON.parse(refused.body)).toMatchObject({ status, code });
});

test("a device that is moved while it is known is given its new group at the next poll, and at once when it waits", async () => {
  const device = await test_.enroll("edge-1", "plant");
  await test_.call("POST", "/api/v1/groups", { name: "office" });
  const first = await poll(device.headers);
  const waiting = poll({ ...device.headers, "if-none-match": String(first.headers["etag"]), prefer: "wait=30" });
  await held(1);
  await test_.call("PATCH", "/api/v1/devices/edge-1", { group: "office" });
  const woken = await waiting;
  expect(woken.headers["etag"]).toMatch(/^"office-/);
  expect(woken.headers["context-edge-assignment"]).not.toBe(first.headers["context-edge-assignment"]);
  expect((await poll(device.headers)).headers["etag"]).toBe(woken.headers["etag"]);
});

test("a device on hold gets its newer assignment at once, and one that nothing happened to keeps waiting", async () => {
  const [device, other] = [await test_.enroll("edge-1"), await test_.enroll("edge-2")];
  const first = await poll(device.headers);
  const wait = { "if-none-match": String(first.headers["etag"]), prefer: "wait=30" };
  const hangUp = new AbortController();
  const waiting = poll({ ...device.headers, ...wait });
  const others = poll({ ...other.headers, ...wait }, hangUp.signal);
  await held(2);
  await test_.call("PATCH", "/api/v1/devices/edge-1", { hold: { hours: 1, reason: "measuring" } });
  test_.hub.publisher.wakeDevice("edge-2");
  const woken = await waiting;
  expect(woken.status).toBe(304);
  expect(Number(woken.headers["context-edge-assignment"])).toBeGreaterThan(
    Number(first.headers["context-edge-assignment"]),
  );
  expect(test_.hub.polls.counts().held).toBe(1);
  hangUp.abort();
  await expect(others).rejects.toThrow("aborted");
});

test("a device that is revoked is refused at its next poll, however well it was known", async () => {
  const device = await test_.enroll("edge-1");
  expect((await poll(device.headers)).status).toBe(200);
  await test_.hub.changes.make("somebody", async ({ tx, touched, tell }) => {
    const record = await tx.devices.find("edge-1");
    if (!record) throw new Error("it enrolled");
    await tx.devices.put({ ...record, revoked: true });
    touched.devices.add("edge-1");
    await tell("device.revoked", "edge-1", "revoked");
  });
  const refused = await poll(device.headers);
  expect(JSON.parse(refused.body)).toMatchObject({ code: "DEVICE_REVOKED" });
});

test("the earlier credential of a device that enrols again is void at once", async () => {
  const earlier = await test_.enroll("edge-1");
  expect((await poll(earlier.headers)).status).toBe(200);
  const later = await test_.enroll("edge-1");
  expect((await poll(earlier.headers)).status).toBe(401);
  expect((await poll(later.headers)).status).toBe(200);
});

test("clients that hang up leave nothing behind in the waiting room", async () => {
  const device = await test_.enroll("edge-1");
  const first = await poll(device.headers);
  const hangUp = new AbortController();
  const wait = { ...device.headers, "if-none-match": String(first.headers["etag"]), prefer: "wait=60" };
  const polls = Array.from({ length: 50 }, () => poll(wait, hangUp.signal).catch(() => "cut"));
  await held(50);
  hangUp.abort();
  expect(new Set(await Promise.all(polls))).toEqual(new Set(["cut"]));
  await held(0);
});

test("a new target reaches every device that waits, each over its own connection, which goes on to serve", async () => {
  const { digest: _, ...registered } = await test_.register("v1");
  expect(registered.status).toBe(201);
  const ids = Array.from({ length: 300 }, (_unused, n) => `edge-${n}`);
  await putDevices(test_.hub.store, ids, "plant");
  test_.hub.memory.reload();
  await test_.hub.publisher.refresh();
  const agent = new Agent({ keepAlive: true });
  const headers = (id: string) => ({ authorization: `Bearer ${credentialOf(id)}` });
  const { etag } = (await poll(headers("edge-0"), undefined, agent)).headers;
  const waiting = ids.map((id) =>
    poll({ ...headers(id), "if-none-match": String(etag), prefer: "wait=60" }, undefined, agent),
  );
  await held(300);
  await test_.call("PUT", "/api/v1/groups/plant/target", { version: "v1" });
  const replies = await Promise.all(waiting);
  expect(
    new Set(replies.map(({ status, body }) => `${status} ${createHash("sha256").update(body).digest("hex")}`)).size,
  ).toBe(1);
  expect(replies[0]?.status).toBe(200);
  expect(replies[0]?.headers["etag"]).not.toBe(etag);
  expect(test_.hub.polls.counts().held).toBe(0);
  agent.destroy();
});

// Ten thousand, and how long it takes them, is measured by `node bench/run.ts reports`: a test asserts no times.
test("fault 66: two thousand devices that come to a hub just started, five hundred at a time, are all answered, without the database", async () => {
  const ids = Array.from({ length: 2_000 }, (_unused, n) => `edge-${n}`);
  await putDevices(test_.hub.store, ids, "plant");
  const again = await openHub({ ...test_.hub.config, dataDir: await test_.remains() });
  const app = await buildApp(again);
  try {
    await app.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 });
    const at = (app.server.address() as AddressInfo).port;
    again.store.devices.byCredential = () => Promise.reject(new Error("nobody should ask the database"));
    const agent = new Agent({ maxSockets: 500 });
    const replies = await Promise.all(
      ids.map((id) => poll({ authorization: `Bearer ${credentialOf(id)}` }, undefined, agent, at)),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    expect(ids.every((id) => again.presence.isOnline(id))).toBe(true);
    agent.destroy();
  } finally {
    await app.close();
    await again.close();
  }
});

test("fault 66: more strangers than can be looked up are told to come back, at different times, and those who are known are not", async () => {
  const device = await test_.enroll("edge-1");
  const { store } = test_.hub;
  const gate = Promise.withResolvers<undefined>();
  store.devices.byCredential = () => gate.promise;
  const agent = new Agent({ maxSockets: 1_000 });
  const strangers = Array.from({ length: 600 }, (_unused, n) =>
    poll({ authorization: `Bearer stranger-${n}` }, undefined, agent),
  );
  const refused = await Promise.all(strangers.slice(500));
  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
  expect(JSON.parse(refused[0]?.body ?? "")).toMatchObject({ code: "OVERLOADED" });
  const times = refused.map(({ headers }) => Number(headers["retry-after"]));
  expect(times.every((seconds) => seconds >= 1 && seconds <= 15)).toBe(true);
  expect(new Set(times).size).toBeGreaterThan(3);
  expect((await poll(device.headers)).status).toBe(200);
  gate.resolve(undefined);
  expect(new Set((await Promise.all(strangers.slice(0, 500))).map(({ status }) => status))).toEqual(new Set([401]));
  agent.destroy();
});

test("fault 67: whoever dribbles headers or a body is cut, and a poll that is held much longer is not", async () => {
  const device = await test_.enroll("edge-1");
  const { etag } = (await poll(device.headers)).headers;
  const server = frontDoor(test_.hub.polls, { headersMs: 150, bodyMs: 150 })((_request, response) => {
    // A route that waits for its body.
    void response;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = (server.address() as AddressInfo).port;
  const waiting = poll(
    { ...device.headers, "if-none-match": String(etag), prefer: "wait=2" },
    undefined,
    undefined,
    at,
  );
  await held(1);
  const dribble = async (start: string, drop: string) => {
    const socket = connect(at, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.resume().write(start);
    const timer = setInterval(() => socket.writable && socket.write(drop), 40);
    const startedMs = performance.now();
    await once(socket, "close");
    clearInterval(timer);
    return performance.now() - startedMs;
  };
  const cut = await Promise.all([
    dribble("GET /device/v1/manifest HTTP/1.1\r\nHost: hub\r\n", "X-Slow: 1\r\n"),
    dribble("POST /device/v1/reports HTTP/1.1\r\nHost: hub\r\nContent-Length: 100000\r\n\r\n", "{"),
  ]);
  expect(Math.max(...cut)).toBeLessThan(1_500);
  expect(test_.hub.polls.counts().held, "still held").toBe(1);
  expect((await waiting).status).toBe(304);
  server.close();
});
