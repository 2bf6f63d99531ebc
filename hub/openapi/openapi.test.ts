// The documentation against the hub itself: every route has its line, and live answers are of the documented form.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DocumentedHub, openDocumentedHub } from "../testing/documented-hub.ts";

/** Refused here, where nobody signs in; tested in hub/routes/sessions.test.ts. */
const NEEDS_BROWSER = new Map([["/api/v1/session/sessions", 400]]);

let hub: DocumentedHub;
beforeAll(async () => {
  hub = await openDocumentedHub();
});
afterAll(() => hub.close());

async function expectDocumented(...question: Parameters<DocumentedHub["judge"]>): Promise<number> {
  const { status, wrong } = await hub.judge(...question);
  expect(wrong, `${question[1]} ${question[2]} ${status}`).toEqual([]);
  return status;
}

describe("the documentation", () => {
  test("has a line, a tag, who may call and the form of refusals for every route there is", () => {
    const bare = hub.operations.filter(
      ({ operation }) =>
        !operation.summary || !operation.tags?.length || !operation.security || !operation.responses["default"],
    );
    expect(bare.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    expect(hub.operations.length).toBeGreaterThan(40);
  });
  test("leaves out no route of the API", () => {
    const known = new Set(
      hub.operations.map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
    );
    const api = [...hub.routes].filter((route) =>
      /^[A-Z]+ \/((api\/v1|mlops|device\/v1)\/\w|(healthz|readyz|metrics)$)/.test(route),
    );
    expect(api.length).toBeGreaterThan(40);
    // A HEAD that is its GET without the body needs no words of its own.
    const isTwin = (route: string) => route.startsWith("HEAD ") && known.has(route.replace("HEAD ", "GET "));
    expect(api.filter((route) => !known.has(route) && !isTwin(route))).toEqual([]);
  });
  test("describes every answer of a live hub to reading", async () => {
    let answered = 0;
    for (const { path, method } of hub.operations) {
      if ((method !== "GET" && method !== "HEAD") || path === "/api/v1/events") continue;
      const address = hub.addressOf(path);
      expect(address, path).not.toContain("{");
      const status = await expectDocumented(path, method, address);
      if (status === 200) answered += 1;
      else expect(path.includes("oidc") ? 404 : (NEEDS_BROWSER.get(path) ?? 200), path).toBe(status);
    }
    expect(answered).toBeGreaterThan(25);
  });
  test("describes a stream: its type, and each message of it", async () => {
    const url = await hub.listen();
    const page = await fetch(`${url}/api/v1/events`);
    const type = (page.headers.get("content-type") ?? "").split(";", 1)[0] ?? "";
    expect(Object.keys(hub.documented("/api/v1/events", "GET", 200)?.content ?? {})).toEqual([type]);
    await hub.call("POST", "/api/v1/groups", { name: "streamed" });
    const seen = new Set<string>();
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of page.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      for (const [, line = ""] of text.matchAll(/^data: (.+)\n/gm)) {
        const message = JSON.parse(line) as { type: string };
        expect(hub.errorsOf(hub.components.schemas["LiveMessage"] ?? {}, message)).toEqual([]);
        seen.add(message.type);
      }
      if (seen.has("event") && seen.has("group")) break;
    }
  });
  test("describes what the same request gets a second time, with its tag", async () => {
    for (const { path, method } of hub.operations) {
      const isRead =
        method === "GET" && /^\/(api\/v1|mlops|device\/v1\/manifest)/.test(path) && !/events|oidc|artifacts/.test(path);
      if (!isRead || NEEDS_BROWSER.has(path)) continue;
      const headers = path.startsWith("/device/") ? hub.device.headers : {};
      const first = await hub.app.inject({ url: hub.addressOf(path), headers });
      const tag = { "if-none-match": String(first.headers["etag"]) };
      expect([path, await expectDocumented(path, method, hub.addressOf(path), { headers: tag })]).toEqual([path, 304]);
      expect(hub.paths[path]?.["get"]?.parameters).toContainEqual(
        expect.objectContaining({ in: "header", name: "If-None-Match" }),
      );
      const head = await hub.app.inject({ method: "HEAD", url: hub.addressOf(path), headers });
      if (!path.startsWith("/device/"))
        expect([path, head.body, head.headers["etag"]]).toEqual([path, "", first.headers["etag"]]);
    }
  });
  test.each([
    ["/api/v1/groups", "post", "Idempotency-Key"],
    ["/mlops/models/register", "post", "Idempotency-Key"],
    ["/api/v1/groups/{group}/target", "put", "If-Match"],
    ["/device/v1/manifest", "get", "Prefer"],
    ["/device/v1/artifacts/{digest}", "get", "Range"],
    ["/mlops/artifacts/{digest}", "put", "Content-Range"],
    ["/api/v1/events", "get", "Last-Event-ID"],
  ])("names the header that %s %s takes: %s", (path, method, name) => {
    expect(hub.paths[path]?.[method]?.parameters).toContainEqual(expect.objectContaining({ in: "header", name }));
  });
  test("says what is uploaded, who needs no sign-in, and how all problems look, once", () => {
    expect(hub.paths["/mlops/artifacts/{digest}"]?.["put"]?.requestBody?.content).toHaveProperty(
      "application/octet-stream",
    );
    const open = hub.operations.filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
      "DELETE /api/v1/session",
      "GET /api/v1/session",
      "GET /api/v1/session/oidc",
      "GET /api/v1/session/oidc/callback",
      "GET /healthz",
      "GET /readyz",
      "POST /api/v1/session",
      "POST /api/v1/setup",
      "POST /device/v1/enroll",
    ]);
    const said = new Set(hub.operations.map(({ operation }) => JSON.stringify(operation.responses["default"])));
    expect([...said]).toEqual(['{"$ref":"#/components/responses/Problem"}']);
  });
  test("describes every refusal: an unknown thing, and a body that is none", async () => {
    for (const { path, method } of hub.operations) {
      if (path === "/api/v1/events" || method === "HEAD" || !path.includes("{")) continue;
      const address = path
        .replaceAll(/\{digest\}/g, "0".repeat(64))
        .replaceAll("{number}", "9")
        .replaceAll(/\{\w+\}/g, "ghost");
      const asked = method === "GET" || method === "DELETE" ? {} : { payload: {} };
      const status = await expectDocumented(path, method, address, asked);
      // Of a model that nobody knows there are no versions.
      expect(status, address).toBeGreaterThanOrEqual(path.endsWith("/versions") ? 200 : 400);
    }
  });
  const changes: [string, string, string, object | undefined, number][] = [
    ["/api/v1/groups", "POST", "/api/v1/groups", { name: "south" }, 201],
    ["/api/v1/devices/{id}", "PATCH", "/api/v1/devices/edge-001", { hold: { hours: 1, reason: "a visit" } }, 200],
    ["/mlops/models/{version}/approve", "POST", "/mlops/models/v2/approve", {}, 200],
    [
      "/mlops/models/{version}/deploy-pilot",
      "POST",
      "/mlops/models/v2/deploy-pilot",
      { pilot_device_ids: ["edge-001"] },
      200,
    ],
    ["/api/v1/webhooks", "POST", "/api/v1/webhooks", { url: "http://127.0.0.1:9/" }, 201],
    ["/api/v1/tokens", "POST", "/api/v1/tokens", { name: "ci", scope: "viewer" }, 201],
    ["/api/v1/join-tokens", "POST", "/api/v1/join-tokens", { name: "line" }, 201],
    ["/api/v1/users", "POST", "/api/v1/users", { name: "vera", role: "viewer" }, 201],
    ["/api/v1/groups/{group}", "DELETE", "/api/v1/groups/south", undefined, 204],
    ["/api/v1/session", "DELETE", "/api/v1/session", undefined, 200],
    ["/mlops/models/register", "POST", "/mlops/models/register", { version_id: 1 }, 400],
  ];
  test.each(changes)("describes the answer of %s %s", async (path, method, address, payload, status) => {
    expect(await expectDocumented(path, method, address, payload ? { payload } : {})).toBe(status);
  });
  test("describes uploads: taken, broken off, taken again; and downloads: whole, from an offset, past the end", async () => {
    const file = "/mlops/artifacts/{digest}";
    const digest = createHash("sha256").update("half whole").digest("hex");
    const address = file.replace("{digest}", digest);
    const put = (payload: string, headers: Record<string, string>) =>
      expectDocumented(file, "PUT", address, {
        payload,
        headers: { "content-type": "application/octet-stream", ...headers },
      });
    expect(await put("half ", { "content-range": "bytes 0-4/10" })).toBe(409);
    expect(await expectDocumented(file, "HEAD", address)).toBe(404);
    expect(await put("whole", { "content-range": "bytes 5-9/10" })).toBe(201);
    expect(await put("whole", {})).toBe(200);
    expect(await expectDocumented(file, "HEAD", address)).toBe(200);
    // Of the file that its group is to run: any other is not this device's to fetch.
    await hub.call("PATCH", "/api/v1/devices/edge-001", { group: "north" });
    expect(await hub.call("PUT", "/api/v1/groups/north/target", { version: "v1" })).toMatchObject({ status: 200 });
    const offered = "/device/v1/artifacts/{digest}";
    const get = (range: string) => expectDocumented(offered, "GET", hub.addressOf(offered), { headers: { range } });
    expect([await get(""), await get("bytes=5-"), await get("bytes=8-")]).toEqual([200, 206, 416]);
  });
});
