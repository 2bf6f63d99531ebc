// Requests that say nothing the hub could act on: no HTTP, another method, another media type, no JSON. Each is told in a problem document what is wrong.
import { connect, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { frontDoor } from "./front-door.ts";
import { openTestHub, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
let port: number;
beforeAll(async () => {
  hub = await openTestHub();
  await hub.register("v1");
  port = Number(new URL(await hub.listen()).port);
});
afterAll(() => hub.close());

interface Told {
  status: number;
  headers: string;
  problem: Record<string, unknown>;
}
/** Says it as it is, and reads until the hub hangs up. */
function say(text: string, at = port): Promise<Told> {
  return new Promise((resolve, reject) => {
    const socket = connect(at, "127.0.0.1");
    let answer = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
    socket.once("error", reject).once("close", () => {
      const [headers = "", body = ""] = answer.split("\r\n\r\n");
      resolve({ status: Number(headers.split(" ")[1]), headers, problem: JSON.parse(body) as Told["problem"] });
    });
    socket.write(text);
  });
}

describe("over the socket", () => {
  const host = "Host: 127.0.0.1\r\n";
  const close = "Connection: close\r\n\r\n";
  const heads: [string, string, number, string][] = [
    ["a method that nobody knows", `FETCH / HTTP/1.1\r\n${host}${close}`, 400, "BAD_REQUEST"],
    ["a Content-Length that is none", `POST / HTTP/1.1\r\n${host}Content-Length: many\r\n${close}`, 400, "BAD_REQUEST"],
    [
      "headers without an end",
      `GET / HTTP/1.1\r\n${host}X: ${"x".repeat(20_000)}\r\n${close}`,
      431,
      "HEADERS_TOO_LARGE",
    ],
    ["no Host", `GET /healthz HTTP/1.1\r\n${close}`, 400, "BAD_REQUEST"],
    ["a poll without Host", `GET /device/v1/manifest HTTP/1.1\r\n${close}`, 400, "BAD_REQUEST"],
    ["an odd expectation", `GET /healthz HTTP/1.1\r\n${host}Expect: a-miracle\r\n${close}`, 417, "EXPECTATION_FAILED"],
    [
      "a method HTTP knows and this hub does not",
      `PROPFIND /healthz HTTP/1.1\r\n${host}${close}`,
      405,
      "METHOD_NOT_ALLOWED",
    ],
  ];
  test.each(heads)("%s", async (_title, text, status, code) => {
    const told = await say(text);
    expect(told).toMatchObject({ status, problem: { status, code, detail: expect.any(String) } });
    expect(told.headers.toLowerCase()).toContain("content-type: application/problem+json");
    expect(told.headers.toLowerCase()).toContain("connection: close");
    const figures = (await hub.app.inject("/metrics")).body;
    expect(figures).toMatch(new RegExp(`^context_edge_problems_total\\{code="${code}"\\} [1-9]`, "m"));
  });
  test("a head that does not arrive", async () => {
    const patience = { headersMs: 150, bodyMs: 150 };
    const slow = frontDoor(hub.hub.polls, patience)((_request, response) => response.end());
    slow.on("clientError", (error, socket) => hub.app.server.emit("clientError", error, socket));
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
    const told = await say("GET / HTT", (slow.address() as AddressInfo).port);
    expect(told).toMatchObject({ status: 408, problem: { code: "REQUEST_TIMEOUT" } });
    slow.close();
  });
});

describe("a method that an address does not have is refused with those it has:", () => {
  test.each([
    ["DELETE", "/api/v1/groups", "GET, HEAD, POST"],
    ["PUT", "/api/v1/devices/edge-001", "GET, HEAD, PATCH"],
    ["GET", "/mlops/models/register", "POST"],
    ["POST", "/device/v1/manifest", "GET, HEAD"],
    ["POST", "/healthz/?x=1", "GET, HEAD"],
    ["HEAD", "/api/v1/events", "GET"],
    ["OPTIONS", "/api/v1/devices", "GET, HEAD"],
  ] as const)("%s %s", async (method, url, allow) => {
    const answer = await hub.app.inject({ method, url });
    expect([answer.statusCode, answer.headers["allow"]]).toEqual([405, allow]);
    if (method !== "HEAD") expect(answer.json()).toMatchObject({ code: "METHOD_NOT_ALLOWED" });
  });
  test("an address that has none is not there", async () => {
    expect((await hub.call("DELETE", "/api/v1/nothing")).body).toMatchObject({ status: 404, code: "NOT_FOUND" });
  });
});

describe("an address", () => {
  test("with a name that is too long, or cannot be decoded, is refused for just that", async () => {
    const details = ["x".repeat(500), "%zz"].map(
      async (name) => (await hub.call("GET", `/api/v1/devices/${name}`)).body,
    );
    expect(await Promise.all(details)).toMatchObject([
      { status: 400, code: "BAD_REQUEST", detail: expect.stringContaining("longer than any") },
      { status: 400, code: "BAD_REQUEST", detail: expect.stringContaining("%") },
    ]);
  });
});

describe("a body:", () => {
  const json = { "content-type": "application/json" };
  const registration = {
    version_id: "v9",
    accuracy: 0.9,
    model_path: "artifact://" + "0".repeat(64),
    training_samples: 1,
    training_date: "2026-01-01T00:00:00Z",
  };
  const register = (payload: string, headers: Record<string, string> = json) =>
    hub.app.inject({ method: "POST", url: "/mlops/models/register", headers, payload });
  const bodies: [string, Record<string, string>, string, number, string][] = [
    ["malformed JSON", json, "{nope", 400, "BAD_REQUEST"],
    ["an empty JSON body", json, "", 400, "BAD_REQUEST"],
    ["another media type", { "content-type": "text/xml" }, "<a/>", 415, "MEDIA_TYPE"],
    ["plain text", { "content-type": "text/plain" }, "{}", 415, "MEDIA_TYPE"],
    // CVE-2025-32442 and CVE-2026-25223 of Fastify: a type written oddly must not slip past validation.
    ["a media type in odd writing", { "content-type": "application/json ;x" }, '{"version_id":1}', 400, "BAD_REQUEST"],
    ["a media type with a tab", { "content-type": "application/json\tx" }, '{"version_id":1}', 415, "MEDIA_TYPE"],
    ["100 MB of JSON", json, JSON.stringify({ pad: "x".repeat(100 * 2 ** 20) }), 413, "BODY_TOO_LARGE"],
    [
      "metrics of 64 KiB",
      json,
      JSON.stringify({ ...registration, metrics: { a: "x".repeat(65_530) } }),
      400,
      "BAD_REQUEST",
    ],
  ];
  test.each(bodies)("%s", async (_title, headers, payload, status, code) => {
    const answer = await register(payload, headers);
    expect({ status: answer.statusCode, code: answer.json<{ code: string }>().code }).toEqual({ status, code });
  });
  test("metrics nested deeper than any stack, by name; eight levels are taken", async () => {
    const send = (depth: number) => {
      const nested = `${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}`;
      return register(JSON.stringify({ ...registration, metrics: { a: "here" } }).replace('"here"', nested));
    };
    for (const depth of [9, 6_000, 300_000])
      expect((await send(depth)).json()).toMatchObject({
        status: 400,
        code: "BAD_REQUEST",
        context: { errors: [{ path: "/metrics", message: "metrics may be nested 8 levels deep" }] },
      });
    expect((await send(8)).json()).toMatchObject({ code: "ARTIFACT_MISSING" });
  });
});
