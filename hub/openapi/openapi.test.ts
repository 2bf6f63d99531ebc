// The documentation against the hub itself: every route has its line, and live answers are of the documented form.
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestHub, type TestDevice, type TestHub } from "../testing/test-hub.ts";

interface Operation {
  summary?: string;
  tags?: string[];
  security?: object[];
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
let hub: TestHub;
let device: TestDevice;
let paths: Record<string, Record<string, Operation>>;
const real = new Map<string, string>();
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
const routes = new Set<string>();

beforeAll(async () => {
  hub = await openTestHub();
  for (const version of ["v1", "v2", "v3"]) await hub.register(version);
  device = await hub.enroll("edge-001", "north");
  await device.report("v0");
  const { body } = await hub.call("PUT", "/api/v1/groups/north/target", { version: "v1", reason: "try" });
  await device.report("v1", { deployment_id: String(body["id"]) });
  const hook = await hub.call("POST", "/api/v1/webhooks", { url: "http://127.0.0.1:9/", kinds: ["gate.passed"] });
  await hub.call("POST", `/api/v1/webhooks/${String(hook.body["id"])}/test`);
  await hub.call("POST", "/api/v1/quarantines", { version: "v3", reason: "it is bad" });
  const digest = String((await hub.call("GET", "/api/v1/models/default/versions/v1")).body["sha256"]);
  for (const [name, value] of [
    ["model", "default"],
    ["version", "v1"],
    ["group", "north"],
    ["digest", digest],
    ["number", "1"],
    ["/api/v1/devices", "edge-001"],
    ["/api/v1/deployments", String(body["id"])],
    ["/api/v1/webhooks", String(hook.body["id"])],
  ] as const)
    real.set(name, value);
  paths = (await hub.call("GET", "/api/docs/json")).body["paths"] as typeof paths;
  const branch: string[] = [];
  for (const line of hub.app.printRoutes({ commonPrefix: false }).split("\n")) {
    const [, indent = "", segment = "", methods] = /^([│ ├└─]*)(\S+)(?: \(([A-Z, ]+)\))?/.exec(line) ?? [];
    branch.splice(indent.length / 4 - 1, branch.length, segment);
    for (const method of methods?.split(", ") ?? []) routes.add(`${method} ${branch.join("")}`);
  }
});
afterAll(() => hub.close());

const operations = () =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );

/** `{id}` stands for another thing in every part of the API. */
function addressOf(path: string): string {
  return path.replace(/\{(\w+)\}/g, (whole, name: string, at: number) => {
    const value = name === "id" ? real.get(path.slice(0, at - 1)) : real.get(name);
    return value ?? whole;
  });
}

async function expectDocumented(path: string, method: string, address: string, payload?: object): Promise<number> {
  const headers = path.startsWith("/device/") ? device.headers : {};
  const answer = await hub.app.inject({
    method: method as "GET",
    url: address,
    headers,
    ...(payload === undefined ? {} : { payload }),
  });
  const { responses } = paths[path]?.[method.toLowerCase()] ?? { responses: {} };
  const documented = responses[String(answer.statusCode)] ?? responses["default"];
  const type = (answer.headers["content-type"] ?? "").split(";", 1)[0] ?? "";
  const schema = documented?.content?.[type]?.schema;
  if (schema !== undefined && type.endsWith("json")) {
    const validate = ajv.compile(schema);
    validate(answer.json());
    expect(validate.errors ?? [], `${method} ${address}`).toEqual([]);
  } else expect(answer.statusCode, `${method} ${address}: ${type} is not documented`).toBeLessThan(300);
  return answer.statusCode;
}

describe("the documentation", () => {
  test("has a line, a tag, who may call and the form of refusals for every route there is", () => {
    const bare = operations().filter(
      ({ operation }) =>
        !operation.summary || !operation.tags?.length || !operation.security || !operation.responses["default"],
    );
    expect(bare.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    expect(operations().length).toBeGreaterThan(40);
  });
  test("leaves out no route of the API", () => {
    const known = new Set(operations().map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`));
    const api = [...routes].filter((route) =>
      /^[A-Z]+ \/((api\/v1|mlops|device\/v1)\/\w|(healthz|readyz|metrics)$)/.test(route),
    );
    expect(api.length).toBeGreaterThan(40);
    // A HEAD that is its GET without the body needs no words of its own.
    const isTwin = (route: string) => route.startsWith("HEAD ") && known.has(route.replace("HEAD ", "GET "));
    expect(api.filter((route) => !known.has(route) && !isTwin(route))).toEqual([]);
  });
  test("describes every answer of a live hub to reading", async () => {
    let answered = 0;
    for (const { path, method } of operations()) {
      if (method !== "GET" || path === "/api/v1/events" || path.includes("oidc")) continue;
      const address = addressOf(path);
      expect(address, path).not.toContain("{");
      if ((await expectDocumented(path, method, address)) === 200) answered += 1;
    }
    expect(answered).toBeGreaterThan(15);
  });
  test("describes every refusal: an unknown thing, and a body that is none", async () => {
    for (const { path, method } of operations()) {
      if (path === "/api/v1/events" || method === "HEAD" || !path.includes("{")) continue;
      const address = path
        .replaceAll(/\{digest\}/g, "0".repeat(64))
        .replaceAll("{number}", "9")
        .replaceAll(/\{\w+\}/g, "ghost");
      await expectDocumented(path, method, address, method === "GET" || method === "DELETE" ? undefined : {});
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
    ["/mlops/models/register", "POST", "/mlops/models/register", { version_id: 1 }, 400],
  ];
  test.each(changes)("describes the answer of %s %s", async (path, method, address, payload, status) => {
    expect(await expectDocumented(path, method, address, payload)).toBe(status);
  });
});
