// Attacks on the hub's doors: names that climb, types that lie, bodies that swell, headers that pretend, strings that are scripts.
import { gzipSync } from "node:zlib";
import { connect, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestHub, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
beforeAll(async () => {
  hub = await openTestHub();
  await hub.register("v1");
  await hub.enroll("edge-001", "pilot");
});
afterAll(() => hub.close());

const NAMES: [string, string][] = [
  ["climbs (CVE-2026-49009 of Mender)", "..%2f..%2fetc%2fpasswd"],
  ["climbs in dots written as numbers", "%2e%2e%2f%2e%2e%2fetc%2fpasswd"],
  ["climbs with backslashes", "..%5c..%5cboot.ini"],
  ["is absolute", "%2fetc%2fpasswd"],
  ["has a NUL", "edge-001%00.trt"],
  ["looks like another in Unicode", "edge%E2%80%90001"],
  ["turns its reading direction", "%E2%80%AEedge-001"],
  ["is overlong UTF-8", "%c0%ae%c0%ae%c0%af"],
  ["is endless", "x".repeat(5_000)],
  ["is a prototype's", "__proto__"],
  ["is a constructor's", "constructor"],
];
const ROUTES: ["GET" | "POST" | "PUT" | "PATCH" | "DELETE", (name: string) => string, object?][] = [
  ["GET", (name) => `/api/v1/devices/${name}`],
  ["GET", (name) => `/api/v1/devices/${name}/outcomes`],
  ["PATCH", (name) => `/api/v1/devices/${name}`, { group: "pilot" }],
  ["GET", (name) => `/api/v1/groups/${name}`],
  ["PUT", (name) => `/api/v1/groups/${name}/target`, { version: "v1" }],
  ["GET", (name) => `/api/v1/models/default/versions/${name}`],
  ["GET", (name) => `/api/v1/deployments/${name}`],
  ["POST", (name) => `/api/v1/deployments/${name}/pause`, {}],
  ["POST", (name) => `/mlops/models/${name}/approve`, {}],
  ["GET", (name) => `/mlops/deployment/${name}/metrics`],
  ["GET", (name) => `/device/v1/artifacts/${name}`],
  ["GET", (name) => `/mlops/artifacts/${name}`],
  ["GET", (name) => `/api/v1/webhooks/${name}`],
  ["DELETE", (name) => `/api/v1/webhooks/${name}`],
];

describe("a name that", () => {
  test.each(NAMES)(
    "%s is refused wherever a name may stand, as a problem and without an echo of a file",
    async (_title, name) => {
      for (const [method, url, payload] of ROUTES) {
        const answer = await hub.app.inject({ method, url: url(name), ...(payload ? { payload } : {}) });
        const where = `${method} ${url(name).slice(0, 80)}`;
        expect([400, 401, 404, 414], where).toContain(answer.statusCode);
        expect(String(answer.headers["content-type"]), where).toContain("application/problem+json");
        expect(answer.body).not.toContain("root:");
      }
    },
  );
  test.each(NAMES)("%s cannot be given to a file that is uploaded", async (_title, name) => {
    const headers = { "content-type": "application/octet-stream" };
    const answer = await hub.app.inject({ method: "PUT", url: `/mlops/artifacts/${name}`, headers, payload: "x" });
    expect([400, 404, 414]).toContain(answer.statusCode);
  });
});

// There, one written oddly slipped past the validation of its schema.
describe("fault 69: (CVE-2025-32442 and CVE-2026-25223 of Fastify) a Content-Type that is", () => {
  const TYPES = [
    "application/json ;x",
    "application/json\t; charset=utf-8",
    " application/json",
    "application/json\u00a0",
    "APPLICATION/JSON;",
    "application/json;a",
    "application/json,text/plain",
    "application/json\ta",
    "application/jsonx",
    "text/plain",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "application/vnd.api+json",
    "",
    "/",
    "application/octet-stream",
  ];
  test.each(TYPES)("%j never lets an unvalidated body reach a handler", async (type) => {
    const before = await hub.hub.store.events.lastId();
    for (const [url, body] of [
      ["/api/v1/groups", '{"name":"../climbs"}'],
      ["/mlops/models/register", '{"version_id":{"$ne":1}}'],
    ] as const) {
      const headers = { "content-type": type };
      const answer = await hub.app.inject({ method: "POST", url, headers, payload: body });
      expect([400, 415], `${url} ${answer.body}`).toContain(answer.statusCode);
    }
    expect(await hub.hub.store.events.lastId()).toBe(before);
  });
});

test("a gzip bomb is refused unopened, whatever it is called and wherever it is sent", async () => {
  const bomb = gzipSync(Buffer.alloc(50 * 2 ** 20));
  for (const coding of ["gzip", "GZIP", "deflate", "br", "zstd", "gzip, identity"]) {
    for (const [method, url, type] of [
      ["POST", "/mlops/models/register", "application/json"],
      ["POST", "/device/v1/reports", "application/json"],
      ["PUT", `/mlops/artifacts/${"1".repeat(64)}`, "application/octet-stream"],
    ] as const) {
      const headers = { "content-type": type, "content-encoding": coding };
      const answer = await hub.app.inject({ method, url, headers, payload: bomb });
      expect(answer.json(), `${coding} ${url}`).toMatchObject({ status: 415, code: "MEDIA_TYPE" });
    }
  }
});

describe("an address in model_path", () => {
  test.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "https://example.com/redirects-to-metadata",
    "s3://169.254.169.254/latest",
    "s3://bucket@169.254.169.254/key",
    "ftp://example.com/x",
    "gopher://127.0.0.1:6379/x",
    "artifact://http://169.254.169.254/",
    "//169.254.169.254/x",
    "S3://bucket/key",
  ])("%s is never fetched", async (model_path) => {
    const registration = {
      version_id: "v9",
      accuracy: 0.9,
      training_samples: 1,
      training_date: "2026-01-01",
      model_path,
    };
    const { status, body } = await hub.call("POST", "/mlops/models/register", registration);
    expect(status).toBe(422);
    expect(["MODEL_PATH_REFUSED", "BUCKET_NOT_CONFIGURED"]).toContain(body["code"]);
  });
});

test("a script in any string comes back as JSON that no browser takes for a page", async () => {
  const script = '<script>alert(1)</script>"><img src=x onerror=alert(1)>';
  await hub.call("PATCH", "/api/v1/devices/edge-001", { hold: { hours: 1, reason: script } });
  for (const url of [
    "/api/v1/devices",
    "/api/v1/audit",
    `/api/v1/devices/${encodeURIComponent(script)}`,
    `/${script}`,
  ]) {
    const answer = await hub.app.inject({ url, headers: { accept: "text/html" } });
    expect(answer.headers["x-content-type-options"], url).toBe("nosniff");
    expect(String(answer.headers["content-type"]), url).toMatch(/^application\/(problem\+)?json/);
    expect(String(answer.headers["content-security-policy"])).toContain("script-src 'self'");
  }
  expect((await hub.call("GET", "/api/v1/devices/edge-001")).body).toMatchObject({ hold: { reason: script } });
});

describe("CVE-2026-3635 and CVE-2026-16732 of Fastify: X-Forwarded headers of a stranger", () => {
  test.each([
    ["x-forwarded-host", "127.0.0.1"],
    ["x-forwarded-for", "127.0.0.1"],
    ["x-forwarded-proto", "https"],
    ["forwarded", "for=127.0.0.1;host=127.0.0.1"],
    ["x-forwarded-host", "127.0.0.1, evil.example"],
  ])("%s: %s does not make a foreign name one of ours", async (header, value) => {
    const answer = await hub.app.inject({ url: "/api/v1/devices", headers: { host: "evil.example", [header]: value } });
    expect(answer.json()).toMatchObject({ status: 403, code: "FORBIDDEN" });
  });
  test("they do not make a page of another site one of ours", async () => {
    const answer = await hub.app.inject({
      method: "POST",
      url: "/api/v1/groups",
      headers: { origin: "http://evil.example", "x-forwarded-host": "evil.example" },
      payload: { name: "mallory" },
    });
    expect(answer.json()).toMatchObject({ status: 403, code: "FORBIDDEN" });
  });
});

test("what is no HTTP at all is answered by nothing that could crash the hub", async () => {
  await hub.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = hub.app.server.address() as AddressInfo;
  const garbage = [
    "\u0000\u0001\u0002\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    `GET /${"x".repeat(100_000)} HTTP/1.1\r\n\r\n`,
    "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ];
  for (const bytes of garbage) {
    const text = await new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
      let got = "";
      socket.on("data", (chunk) => (got += chunk.toString())).on("error", () => undefined);
      socket.once("close", () => resolve(got));
    });
    expect(text).not.toMatch(/^HTTP\/1\.1 (2|5)/);
  }
  expect((await hub.call("GET", "/healthz")).status).toBe(200);
});
