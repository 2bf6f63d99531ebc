// Webhooks on a whole hub with real receivers: signed, in order, through restarts, and never to where they must not go.
import { copyFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildApp } from "../app.ts";
import { openHub } from "../hub.ts";
import { copySqlite } from "../store/sqlite-copy.ts";
import { openTestHub, until, type TestHub } from "../testing/test-hub.ts";
import { addressCheck, checkedLookup, refuseUrl } from "./addresses.ts";
import { signatureOf } from "./post.ts";

interface Received {
  headers: IncomingMessage["headers"];
  body: string;
}
let hub: TestHub;
let server: Server;
let received: Received[];
let answer: (index: number) => { status: number; headers?: Record<string, string> };
let url: string;

beforeEach(async () => {
  received = [];
  answer = () => ({ status: 204 });
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      const { status, headers } = answer(received.length - 1);
      response.writeHead(status, headers).end("x".repeat(100_000));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  hub = await openTestHub({ HUB_PUBLIC_URL: "https://hub.example" });
});
afterEach(async () => {
  await hub.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const create = async (more: object = {}) => {
  const { status, body } = await hub.call("POST", "/api/v1/webhooks", { url, ...more });
  expect(status).toBe(201);
  return body as { id: string; secret: string };
};
const deliveries = async (id: string) =>
  (await hub.call("GET", `/api/v1/webhooks/${id}/deliveries`)).body["items"] as Record<string, unknown>[];
const arrived = (count: number) => until(async () => received.length >= count);

test("a new version is told, signed as Standard Webhooks say, and shown as delivered", async () => {
  const { id, secret } = await create();
  await hub.register("v1");
  await arrived(1);
  const { headers, body } = received[0] ?? { headers: {}, body: "" };
  expect(JSON.parse(body)).toMatchObject({
    type: "version.registered",
    data: { version: "v1", link: "https://hub.example/models", text: expect.stringContaining("v1") },
  });
  const messageId = String(headers["webhook-id"]);
  expect(headers["webhook-signature"]).toBe(signatureOf(secret, messageId, Number(headers["webhook-timestamp"]), body));
  await until(async () => (await deliveries(id))[0]?.["state"] === "delivered");
  expect((await deliveries(id))[0]).toMatchObject({ message_id: messageId, tries: 1, last_status: 204, number: 1 });
});

test("the signature is the one of the Standard Webhooks test vector", () => {
  // From the specification's reference libraries.
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  expect(signatureOf(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, '{"test": 2432232314}')).toBe(
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  );
});

test("the secret is shown once and is neither in lists nor in the history", async () => {
  const { id, secret } = await create();
  await hub.call("PATCH", `/api/v1/webhooks/${id}`, { enabled: false });
  for (const path of ["/api/v1/webhooks", `/api/v1/webhooks/${id}`, "/api/v1/audit"])
    expect(JSON.stringify((await hub.call("GET", path)).body)).not.toContain(secret);
});

test("an event that a hub was killed upon is told by its successor", async () => {
  const { id } = await create();
  await hub.hub.courier.stop();
  await hub.register("v1");
  expect(received).toEqual([]);
  const next = await openHub({ ...hub.hub.config, dataDir: await hub.remains() });
  await arrived(1);
  expect(await next.store.deliveries.list(id, 10)).toHaveLength(1);
  await next.close();
});

test("after a restored backup numbers of events come again, but no message has the id of an earlier one", async () => {
  await create();
  await hub.register("v1");
  await arrived(1);
  const { config } = hub.hub;
  const file = join(hub.dir, "backup.sqlite");
  await copySqlite(join(config.dataDir, "hub.sqlite"), file);
  await hub.register("v2");
  await arrived(2);
  await hub.app.close();
  await hub.hub.close();
  for (const ending of ["", "-wal", "-shm"]) rmSync(join(config.dataDir, `hub.sqlite${ending}`), { force: true });
  copyFileSync(file, join(config.dataDir, "hub.sqlite"));
  const restored = await openHub(config);
  await restored.changes.make("somebody", ({ tell }) =>
    tell("version.registered", "default/v3", "v3 waits for review"),
  );
  await arrived(3);
  await restored.close();
  const ids = received.slice(1).map(({ headers }) => String(headers["webhook-id"]));
  expect(new Set(ids.map((id) => /^msg_(\d+)_/.exec(id)?.[1])).size, "one number").toBe(1);
  expect(new Set(ids).size, "two messages").toBe(2);
});

test("while the receiver is broken nothing overtakes, and a retry has the same id", async () => {
  answer = (index) => ({ status: index === 0 ? 500 : 200 });
  const { id } = await create();
  await hub.register("v1");
  await hub.register("v2");
  await until(async () => (await deliveries(id)).some(({ tries }) => tries === 1));
  expect(received).toHaveLength(1);
  const first = (await deliveries(id)).at(-1);
  expect(first).toMatchObject({ state: "pending", last_status: 500, next_at: expect.any(String) });
  await hub.hub.store.deliveries.update(id, 1, { next_at: new Date(0).toISOString() });
  hub.hub.courier.wake();
  await arrived(3);
  expect(received.map(({ headers }) => headers["webhook-id"])).toEqual([
    first?.["message_id"],
    first?.["message_id"],
    (await deliveries(id))[0]?.["message_id"],
  ]);
});

test("a redirect is not followed, and a delivery that was given up can be tried again by hand", async () => {
  answer = (index) => (index === 0 ? { status: 302, headers: { location: `${url}/elsewhere` } } : { status: 200 });
  const { id } = await create({ format: "slack" });
  expect((await hub.call("POST", `/api/v1/webhooks/${id}/test`)).status).toBe(202);
  await until(async () => (await deliveries(id))[0]?.["last_status"] === 302);
  await hub.hub.store.deliveries.update(id, 1, { state: "given-up", next_at: null });
  expect((await hub.call("GET", `/api/v1/webhooks/${id}`)).body).toMatchObject({ given_up: 1, pending: 0 });
  await hub.call("POST", `/api/v1/webhooks/${id}/deliveries/1/retry`);
  await until(async () => (await deliveries(id))[0]?.["state"] === "delivered");
  expect(received).toHaveLength(2);
  expect(JSON.parse(received[1]?.body ?? "")).toMatchObject({
    text: expect.stringContaining("test"),
    blocks: [{}, {}, {}],
  });
});

describe("an address", () => {
  const refuse = addressCheck({ allowLoopback: false });
  test.each([
    "http://169.254.169.254/latest/meta-data",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://2852039166/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://127.0.0.1/",
    "http://0/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:7f00:1]/",
    "http://255.255.255.255/",
    "file:///etc/passwd",
    "ftp://example.com/",
    "http://user:password@example.com/",
  ])("%s is refused", (address) => {
    expect(refuseUrl(address, refuse)).toEqual(expect.any(String));
  });
  test.each([
    "http://10.0.0.7/",
    "http://192.168.1.2:9000/x",
    "https://hooks.slack.com/services/x",
    "http://[fd12::1]/",
  ])("%s is fine: factories have private networks", (address) => {
    expect(refuseUrl(address, refuse)).toBeUndefined();
  });
  test("that a name resolves to is checked when it is connected to", async () => {
    const looked = await new Promise<Error | null>((resolve) =>
      checkedLookup(refuse)("localhost", { all: true }, (error) => resolve(error)),
    );
    expect(looked?.message).toContain("this machine itself");
  });
  test("that is this machine is refused by the hub when people have to sign in", async () => {
    const strict = await openHub({
      ...hub.hub.config,
      dataDir: `${hub.dir}/strict`,
      webhooks: { offlineAfterSeconds: 60, allowLoopback: false },
    });
    const app = await buildApp(strict);
    const createStrict = (to: string) => app.inject({ method: "POST", url: "/api/v1/webhooks", payload: { url: to } });
    expect((await createStrict("http://127.0.0.1:1/")).json()).toMatchObject({
      code: "WEBHOOK_URL_REFUSED",
      status: 422,
    });
    // A name can only be judged when it is resolved.
    const { id } = (await createStrict(url.replace("127.0.0.1", "localhost"))).json<{ id: string }>();
    await app.inject({ method: "POST", url: `/api/v1/webhooks/${id}/test` });
    const failed = await until(async () =>
      (await strict.store.deliveries.list(id, 1)).find(({ tries }) => tries === 1),
    );
    expect(failed).toMatchObject({ state: "pending", last_error: expect.stringContaining("this machine itself") });
    expect(received).toEqual([]);
    await app.close();
    await strict.close();
  });
});
