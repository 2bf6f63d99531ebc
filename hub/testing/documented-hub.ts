// A hub with something of everything, its own API's description, and a judge who compares answers with it.
import { Ajv2020 } from "ajv/dist/2020.js";
import { openTestHub, type TestDevice, type TestHub } from "./test-hub.ts";

interface Response {
  content?: Record<string, { schema: object }>;
  headers?: Record<string, object>;
}
export interface Operation {
  summary?: string;
  tags?: string[];
  security?: object[];
  parameters?: { in: string; name: string }[];
  requestBody?: { content: Record<string, object> };
  responses: Record<string, Response | { $ref: string }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; responses: Record<string, Response> };
}
interface Asked {
  payload?: object | string;
  headers?: Record<string, string>;
}

export interface DocumentedHub extends TestHub {
  device: TestDevice;
  paths: Document["paths"];
  components: Document["components"];
  operations: { path: string; method: string; operation: Operation }[];
  /** Every route of the hub, `GET /api/v1/devices/:id`. */
  routes: ReadonlySet<string>;
  /** An address of a path that leads to something. */
  addressOf(path: string): string;
  /** Asks, and says what of the answer is not as documented. */
  judge(path: string, method: string, address: string, asked?: Asked): Promise<{ status: number; wrong: unknown[] }>;
  /** What is documented for this status. */
  documented(path: string, method: string, status: number): Response | undefined;
  errorsOf(schema: object, body: unknown): unknown[];
}

const RANGE = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z";
/** Sent only where there is reason to. */
const OPTIONAL = new Set(["idempotent-replayed", "retry-after"]);

export async function openDocumentedHub(): Promise<DocumentedHub> {
  const hub = await openTestHub();
  const device = await hub.enroll("edge-001", "north");
  const real = await furnish(hub, device);
  const { paths, components } = (await hub.call("GET", "/api/docs/json")).body as unknown as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  const documented = (path: string, method: string, status: number) => {
    const { responses } = paths[path]?.[method.toLowerCase()] ?? { responses: {} };
    // Problems are the one answer that need not be listed by its status.
    const found = responses[String(status)] ?? (status >= 400 ? responses["default"] : undefined);
    return found && "$ref" in found ? components.responses[found.$ref.split("/").at(-1) ?? ""] : found;
  };
  const errorsOf = (schema: object, body: unknown): unknown[] => {
    // References in it lead to the whole document.
    const validate = ajv.compile({ ...schema, components });
    validate(body);
    return validate.errors ?? [];
  };

  return {
    ...hub,
    device,
    paths,
    components,
    operations: Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    ),
    routes: routesOf(hub),
    addressOf(path) {
      const address = path.replace(/\{(\w+)\}/g, (whole, name: string, at: number) => {
        // `{id}` stands for another thing in every part of the API.
        const value = name === "id" ? real.get(path.slice(0, at - 1)) : real.get(name);
        return value ?? whole;
      });
      // By default they end now, and change with the clock.
      if (path === "/api/v1/series/labels") return `${address}?version=v1&${RANGE}`;
      return path === "/api/v1/series" ? `${address}?${RANGE}` : address;
    },
    async judge(path, method, address, { payload, headers = {} } = {}) {
      const answer = await hub.app.inject({
        method: method as "GET",
        url: address,
        headers: { ...(path.startsWith("/device/") ? device.headers : {}), ...headers },
        ...(payload === undefined ? {} : { payload }),
      });
      const status = answer.statusCode;
      const said = documented(path, method, status);
      if (!said) return { status, wrong: [`${status} is not documented`] };
      const { content = {}, headers: told = {} } = said;
      const wrong: unknown[] = Object.keys(told)
        .map((name) => name.toLowerCase())
        .filter((name) => !OPTIONAL.has(name) && answer.headers[name] === undefined)
        .map((name) => `no header ${name}`);
      const type = (answer.headers["content-type"] ?? "").split(";", 1)[0] ?? "";
      const isEmpty = answer.body === "";
      if (isEmpty && method !== "HEAD" && Object.keys(content).length > 0) wrong.push("no body");
      if (!isEmpty && !(type in content)) wrong.push(`${type} is not documented for ${status}`);
      else if (!isEmpty && type.endsWith("json")) wrong.push(...errorsOf(content[type]?.schema ?? {}, answer.json()));
      return { status, wrong };
    },
    documented,
    errorsOf,
  };
}

/** @returns names of what there is, by the parameter that stands for it. */
async function furnish(hub: TestHub, device: TestDevice): Promise<Map<string, string>> {
  for (const version of ["v1", "v2", "v3"]) await hub.register(version);
  await device.report("v0");
  const { body } = await hub.call("PUT", "/api/v1/groups/north/target", { version: "v1", reason: "try" });
  await device.report("v1", { deployment_id: String(body["id"]) });
  const hook = await hub.call("POST", "/api/v1/webhooks", { url: "http://127.0.0.1:9/", kinds: ["gate.passed"] });
  await hub.call("POST", `/api/v1/webhooks/${String(hook.body["id"])}/test`);
  await hub.call("POST", "/api/v1/quarantines", { version: "v3", reason: "it is bad" });
  const version = await hub.call("GET", "/api/v1/models/default/versions/v1");
  return new Map([
    ["model", "default"],
    ["version", "v1"],
    ["group", "north"],
    ["digest", String(version.body["sha256"])],
    ["number", "1"],
    ["/api/v1/devices", "edge-001"],
    ["/api/v1/deployments", String(body["id"])],
    ["/api/v1/webhooks", String(hook.body["id"])],
  ]);
}

function routesOf(hub: TestHub): Set<string> {
  const routes = new Set<string>();
  const branch: string[] = [];
  for (const line of hub.app.printRoutes({ commonPrefix: false }).split("\n")) {
    const [, indent = "", segment = "", methods] = /^([│ ├└─]*)(\S+)(?: \(([A-Z, ]+)\))?/.exec(line) ?? [];
    branch.splice(indent.length / 4 - 1, branch.length, segment);
    for (const method of methods?.split(", ") ?? []) routes.add(`${method} ${branch.join("")}`);
  }
  return routes;
}
