// Faults of the hub with real files, real sockets and devices that say everything twice.
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { connect, type AddressInfo, type Socket } from "node:net";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { OutcomeReport } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildApp } from "./app.ts";
import { openTestHub, until, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

const digestOf = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");
const listen = async (app = hub.app) => {
  await app.listen({ host: "127.0.0.1", port: 0 });
  return (app.server.address() as AddressInfo).port;
};
function speak(port: number, head: string): { socket: Socket; answer: Promise<string> } {
  const socket = connect(port, "127.0.0.1");
  const answer = new Promise<string>((resolve) => {
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    socket.once("close", () => resolve(text)).on("error", () => undefined);
  });
  socket.write(head);
  return { socket, answer };
}
const outcome = (
  number: number,
  version: string,
  deployment_id = "dep-nobody-knows",
): { number: number; report: OutcomeReport } => ({
  number,
  report: {
    model: "default",
    version,
    digest: digestOf(version),
    deployment_id,
    outcome: "rolled-back",
    code: "PROBE_FAILED",
    message: "too slow",
    next_step: "",
    at: new Date(number * 1_000).toISOString(),
    evidence: {},
  },
});

test("fault 60: an upload that is aborted is visible nowhere, and goes on where it broke off", async () => {
  const bytes = Buffer.alloc(300_000, "engine");
  const digest = digestOf(bytes);
  const port = await listen();
  const head = `PUT /mlops/artifacts/${digest} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  const { socket } = speak(port, head);
  socket.write(bytes.subarray(0, 100_000));
  const uploaded = () => hub.hub.artifacts.uploadedBytes(digest);
  await until(async () => (await uploaded()) > 0);
  socket.destroy();
  const url = `/mlops/artifacts/${digest}`;
  expect((await hub.app.inject({ method: "HEAD", url })).statusCode).toBe(404);
  expect(await hub.hub.artifacts.locate(digest)).toBeUndefined();
  const registration = {
    version_id: "v1",
    accuracy: 0.9,
    training_samples: 1,
    training_date: "2026-01-01",
    model_path: `artifact://${digest}`,
  };
  expect((await hub.call("POST", "/mlops/models/register", registration)).body).toMatchObject({
    code: "ARTIFACT_MISSING",
  });
  const offset = await uploaded();
  const rest = await hub.app.inject({
    method: "PUT",
    url,
    headers: {
      "content-type": "application/octet-stream",
      "content-range": `bytes ${offset}-${bytes.length - 1}/${bytes.length}`,
    },
    payload: bytes.subarray(offset),
  });
  expect(rest.statusCode).toBe(201);
});

test("fault 61: an artifact that rots on the disk is not served, is set aside, and can be uploaded anew", async () => {
  const { digest } = await hub.register("v1");
  const device = await hub.enroll("edge-001", "pilot");
  await hub.call("PUT", "/api/v1/groups/pilot/target", { version: "v1" });
  const fetchIt = () => hub.app.inject({ url: `/device/v1/artifacts/${digest}`, headers: device.headers });
  expect((await fetchIt()).statusCode).toBe(200);
  const file = join(hub.dir, "data", "artifacts", digest.slice(0, 2), digest);
  writeFileSync(file, "modek v1");
  utimesSync(file, new Date(), new Date(Date.now() + 5_000));
  const answers = await Promise.all(Array.from({ length: 5 }, fetchIt));
  expect(answers.map((answer) => answer.json<{ code: string }>().code)).toEqual(Array(5).fill("ARTIFACT_MISSING"));
  expect(readdirSync(join(hub.dir, "data", "rotten-artifacts"))).toHaveLength(1);
  await hub.register("v1");
  expect((await fetchIt()).body).toBe("model v1");
});

test("fault 63: a report that comes a hundred times has one effect", async () => {
  const device = await hub.enroll("edge-001");
  const payload = {
    device: "edge-001",
    outbox: crypto.randomUUID(),
    observed: null,
    outcomes: [outcome(1, "v1"), outcome(2, "v2")],
  };
  const send = () => hub.app.inject({ method: "POST", url: "/device/v1/reports", headers: device.headers, payload });
  const answers = await Promise.all(Array.from({ length: 100 }, send));
  expect(new Set(answers.map(({ body }) => body))).toEqual(new Set([JSON.stringify({ accepted_through: 2 })]));
  expect(await hub.hub.store.outcomes.ofDevice("edge-001", 500)).toHaveLength(2);
  const told = (await hub.hub.store.events.newest(500)).filter(({ kind }) => kind === "device.rolled-back");
  expect(told).toHaveLength(2);
});

test("fault 64: reports in the wrong order never take a device back to what it was", async () => {
  await hub.register("v1");
  await hub.register("v2");
  const device = await hub.enroll("edge-001");
  const outbox = crypto.randomUUID();
  await device.report("v1");
  const observed = (await hub.hub.store.devices.find("edge-001"))?.observed;
  const state = (version: string) => ({
    ...observed,
    models: { default: { ...observed?.models["default"], current: { version, digest: digestOf(`model ${version}`) } } },
  });
  const send = (number: number, version: string) =>
    hub.app.inject({
      method: "POST",
      url: "/device/v1/reports",
      headers: device.headers,
      payload: { device: "edge-001", outbox, observed: { number, state: state(version) }, outcomes: [] },
    });
  for (const [number, version] of [
    [5, "v2"],
    [3, "v1"],
    [4, "v1"],
    [5, "v1"],
  ] as const)
    expect((await send(number, version)).statusCode).toBe(200);
  expect((await hub.call("GET", "/api/v1/devices/edge-001")).body).toMatchObject({
    models: { default: { current: { version: "v2" } } },
  });
});

test("fault 65: a report for a deployment nobody knows is kept and flagged", async () => {
  const device = await hub.enroll("edge-001");
  const payload = { device: "edge-001", outbox: crypto.randomUUID(), observed: null, outcomes: [outcome(1, "v1")] };
  const sent = await hub.app.inject({ method: "POST", url: "/device/v1/reports", headers: device.headers, payload });
  expect(sent.json()).toEqual({ accepted_through: 1 });
  expect((await hub.call("GET", "/api/v1/devices/edge-001/outcomes")).body["items"]).toMatchObject([
    { deployment_id: "dep-nobody-knows" },
  ]);
  const [told] = await hub.hub.store.events.newest(1);
  expect(told).toMatchObject({ kind: "device.rolled-back", data: { known_deployment: false } });
});

test.each([
  ["announced", "Content-Length: 1073741824\r\n\r\n"],
  ["in chunks without an end", "Transfer-Encoding: chunked\r\n\r\n"],
])("fault 68: a gigabyte of JSON, %s, is refused with 413 and not read", async (_title, headers) => {
  const port = await listen();
  const { socket, answer } = speak(
    port,
    `POST /mlops/models/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${headers}`,
  );
  const chunk = "x".repeat(65_536);
  const framed = headers.startsWith("Transfer") ? `10000\r\n${chunk}\r\n` : chunk;
  // As long as the hub takes it, up to the whole gigabyte.
  const pump = () => {
    while (!socket.destroyed && socket.bytesWritten < 2 ** 30 && socket.write(framed));
    if (!socket.destroyed && socket.bytesWritten < 2 ** 30) socket.once("drain", pump);
  };
  pump();
  const text = await answer;
  expect(text).toContain("413");
  expect(text).toContain("BODY_TOO_LARGE");
  expect(socket.bytesWritten).toBeLessThan(32 * 2 ** 20);
});

test("an upload of a byte a second is cut, and what came is kept for resuming; one at a good pace is not", async () => {
  const app = await buildApp(hub.hub, { pace: { everyMs: 150, leastBytes: 1_000 } });
  const port = await listen(app);
  const head = (digest: string, length: number) =>
    `PUT /mlops/artifacts/${digest} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;
  const slow = speak(port, head(digestOf("slow"), 1_000_000));
  const drip = setInterval(() => slow.socket.write("x"), 50);
  const bytes = Buffer.alloc(20_000, "y");
  const good = speak(port, head(digestOf(bytes), bytes.length));
  for (let at = 0; at < bytes.length; at += 2_000) {
    good.socket.write(bytes.subarray(at, at + 2_000));
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  expect(await good.answer).toContain("201 Created");
  expect(await slow.answer).toBe("");
  clearInterval(drip);
  await until(async () => (await hub.hub.artifacts.uploadedBytes(digestOf("slow"))) > 0);
  await app.close();
});
