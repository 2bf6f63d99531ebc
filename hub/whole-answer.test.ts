// Answers that go past Node's own assembly: on real connections they must be what any client expects, also when it is slow, in a hurry, or leaving.
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { ASSIGNMENT_HEADER } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "./testing/test-hub.ts";
import { type WholeAnswer, wholeAnswer } from "./whole-answer.ts";

const BODY = '{"manifest":"…"}'.replace("…", "m".repeat(500));
/** More than a connection takes at once, so that what differs between answers, which comes after it, has to wait. */
const HUGE = "h".repeat(12_000_000);
const headers = { etag: '"plant-1"', "content-type": "application/json", "content-length": String(BODY.length) };

let server: Server;
let clock: { ms: number };
let answers: Record<string, WholeAnswer>;
let prepare: (response: ServerResponse) => void;
const sockets: Socket[] = [];
beforeEach(async () => {
  clock = { ms: Date.parse("2026-03-01T00:00:00.900Z") };
  const now = () => clock.ms;
  answers = {
    "/changed": wholeAnswer({ status: 200, headers, body: BODY }, now),
    "/unchanged": wholeAnswer({ status: 304, headers: { etag: '"plant-1"' }, body: "" }, now),
    "/huge": wholeAnswer({ status: 200, headers: { "content-length": "0", "x-long": HUGE }, body: "" }, now),
  };
  prepare = () => undefined;
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://hub");
    prepare(response);
    answers[pathname]?.(response, Number(searchParams.get("sequence")));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

async function open() {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").setEncoding("latin1");
  sockets.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  let text = "";
  return {
    socket,
    read: () => socket.on("data", (part: string) => (text += part)),
    text: () => text,
    ask: (path: string, more = "") => socket.write(`GET ${path} HTTP/1.1\r\nHost: hub\r\n${more}\r\n`),
  };
}

const whole = (sequence: number, second = "00") =>
  `HTTP/1.1 200 OK\r\netag: "plant-1"\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n` +
  `Date: Sun, 01 Mar 2026 00:00:${second} GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=75\r\n` +
  `${ASSIGNMENT_HEADER}: ${sequence}\r\n\r\n${BODY}`;

test("an answer is whole HTTP, byte for byte, and the connection serves the next question", async () => {
  const client = await open();
  client.read();
  client.ask("/changed?sequence=1795000000001");
  await until(async () => client.text() === whole(1_795_000_000_001));
  client.ask("/changed?sequence=7");
  await until(async () => client.text() === whole(1_795_000_000_001) + whole(7));
  clock.ms += 100;
  client.ask("/changed?sequence=8");
  await until(async () => client.text().endsWith(whole(8, "01")));
  client.ask("/unchanged?sequence=9");
  await until(async () => client.text().endsWith(`${ASSIGNMENT_HEADER}: 9\r\n\r\n`));
  expect(client.text().split("HTTP/1.1 304 Not Modified\r\n")).toHaveLength(2);
});

test("questions sent in one go are each answered, in their order", async () => {
  const client = await open();
  client.read();
  client.socket.write([1, 2, 3, 4, 5].map((n) => `GET /changed?sequence=${n} HTTP/1.1\r\nHost: hub\r\n\r\n`).join(""));
  const sequences = () => [...client.text().matchAll(/context-edge-assignment: (\d+)/gi)].map(([, n]) => Number(n));
  await until(async () => sequences().length === 5 && client.text().split(BODY).length === 6);
  expect(sequences()).toEqual([1, 2, 3, 4, 5]);
});

test.each([
  ["that wants to close", "GET /changed?sequence=3 HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n"],
  ["of HTTP/1.0", "GET /changed?sequence=3 HTTP/1.0\r\n\r\n"],
])("a client %s gets its answer and is let go", async (_who, question) => {
  const client = await open();
  client.read();
  client.socket.write(question);
  await once(client.socket, "end");
  expect(client.text()).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(client.text()).toMatch(/connection: close/i);
  expect(client.text()).toContain(`${ASSIGNMENT_HEADER}: 3\r\n`);
  expect(client.text().endsWith(BODY)).toBe(true);
});

test("what a slow reader has not taken yet is not written over by the answer to another", async () => {
  const [slow, quick] = [await open(), await open()];
  slow.ask("/huge?sequence=1111");
  // Its answer has begun: from here on the rest of it waits in the hub's memory.
  await once(slow.socket, "readable");
  quick.read();
  quick.ask("/huge?sequence=2222");
  await until(async () => quick.text().endsWith("\r\n\r\n"));
  expect(quick.text()).toContain(`${ASSIGNMENT_HEADER}: 2222\r\n`);
  slow.read();
  await until(async () => slow.text().endsWith("\r\n\r\n"));
  expect(slow.text()).toContain(`${ASSIGNMENT_HEADER}: 1111\r\n`);
  expect(slow.text().indexOf("HTTP/1.1", 1)).toBe(-1);
});

test("headers that somebody set before are sent along, the ordinary way", async () => {
  prepare = (response) => response.setHeader("connection", "close");
  const client = await open();
  client.read();
  client.ask("/changed?sequence=3");
  await once(client.socket, "end");
  expect(client.text()).toMatch(/connection: close/i);
  expect(client.text().endsWith(BODY)).toBe(true);
});
