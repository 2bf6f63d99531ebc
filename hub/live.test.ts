// The live stream with real connections: the same bytes for everybody, history without gaps or doubles, and slow readers cut off.
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { LiveMessage } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, type TestHub, until } from "./testing/test-hub.ts";

let test_: TestHub;
const open: { end(): void }[] = [];
beforeEach(async () => {
  test_ = await openTestHub();
  await test_.app.listen({ port: 0, host: "127.0.0.1" });
});
afterEach(async () => {
  for (const one of open.splice(0)) one.end();
  await test_.close();
});

async function dashboard(lastId?: number) {
  const { port } = test_.app.server.address() as AddressInfo;
  const headers = lastId === undefined ? {} : { "last-event-id": String(lastId) };
  const sent = request({ port, host: "127.0.0.1", path: "/api/v1/events", headers }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.on("error", () => undefined);
  let text = "";
  open.push({ end: () => sent.destroy() });
  return {
    response,
    read: () => response.setEncoding("utf8").on("data", (part: string) => (text += part)),
    text: () => text,
    messages: () => [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, json]) => JSON.parse(json ?? "") as LiveMessage),
  };
}
type Dashboard = Awaited<ReturnType<typeof dashboard>>;

const eventIds = (one: Dashboard) => one.messages().flatMap((each) => (each.type === "event" ? [each.event.id] : []));
const tell = (count: number) =>
  test_.hub.changes.make("somebody", async (change) => {
    for (let n = 0; n < count; n += 1) await change.tell("test.told", "subject", `number ${n}`);
  });

test("two dashboards get the very same bytes, each device once in its newest state", async () => {
  const device = await test_.enroll("edge-1");
  await test_.register("v1");
  const both = [await dashboard(), await dashboard()];
  for (const one of both) one.read();
  await device.report("v1");
  await device.report("v1", undefined, { phase: "blocked" });
  await tell(1);
  await until(async () => both.every((one) => one.text().includes("number 0") && one.text().includes('"device"')));
  await until(async () => both[0]?.text() === both[1]?.text());
  const devices = both[0]?.messages().filter((message) => message.type === "device") ?? [];
  expect(devices.at(-1)).toMatchObject({ device: { id: "edge-1", phase: "blocked" } });
  expect(devices.length).toBeLessThanOrEqual(2);
});

test("a new target is told of every device that stands differently now", async () => {
  await test_.register("v1");
  for (const id of ["edge-1", "edge-2"]) await test_.enroll(id, "line");
  const one = await dashboard();
  one.read();
  await test_.call("PUT", "/api/v1/groups/line/target", { version: "v1" });
  const targets = () =>
    one
      .messages()
      .flatMap((each) =>
        each.type === "device" ? [[each.device.id, each.device.models["default"]?.target?.version]] : [],
      );
  await until(async () => targets().filter(([, version]) => version === "v1").length >= 2);
  expect(new Map(targets() as [string, string][])).toEqual(
    new Map([
      ["edge-1", "v1"],
      ["edge-2", "v1"],
    ]),
  );
});

test("whoever comes back with the last id it saw gets every event once and in order, those told meanwhile too", async () => {
  await tell(5);
  const first = await test_.hub.store.events.lastId();
  // Somebody looks already, so these are also on their way in the next batch when the others come back.
  (await dashboard()).read();
  await tell(20);
  const telling = (async () => {
    for (let n = 0; n < 20; n += 1) await tell(2);
  })();
  const back = [await dashboard(first), await dashboard(first + 10), await dashboard(first + 20)];
  for (const one of back) one.read();
  await telling;
  await until(async () => back.every((one) => eventIds(one).length >= 40));
  // One more: by the time it comes, whatever would come twice has come.
  await tell(1);
  const last = await test_.hub.store.events.lastId();
  await until(async () => back.every((one) => eventIds(one).at(-1) === last));
  for (const [index, one] of back.entries()) {
    const from = first + index * 10;
    expect(eventIds(one)).toEqual(Array.from({ length: last - from }, (_, n) => from + n + 1));
  }
});

test("a dashboard that missed too much, or knows of events this hub never had, is told to fetch everything", async () => {
  await tell(600);
  for (const lastId of [1, 1_000_000]) {
    const one = await dashboard(lastId);
    one.read();
    await until(async () => one.messages().some(({ type }) => type === "reset"));
    await tell(1);
    const last = await test_.hub.store.events.lastId();
    await until(async () => eventIds(one).includes(last));
    expect(eventIds(one)).toEqual([last]);
  }
});

test("a reader that takes nothing is cut off, and the others notice nothing of it", async () => {
  const [slow, quick] = [await dashboard(), await dashboard()];
  quick.read();
  slow.response.pause();
  const big = "x".repeat(400_000);
  let isCut = false;
  slow.response.once("close", () => (isCut = true));
  for (let n = 1; n <= 120 && (await connections()) > 1; n += 1) {
    await test_.hub.changes.make("somebody", (change) => change.tell("test.big", "subject", `${big} number ${n}.`));
    await until(async () => quick.text().includes(` number ${n}.`));
  }
  expect(await connections()).toBe(1);
  slow.response.resume();
  await until(async () => isCut);
}, 30_000);

function connections(): Promise<number> {
  return new Promise((resolve, reject) =>
    test_.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
