// The OpenAPI document: made from the routes' own schemas, with a line from the catalogue, who may call, headers, and how refusals look.
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import { z } from "zod";
import { LiveMessage, Problem, PROBLEM_MEDIA_TYPE } from "@context-edge/protocol";
import { type Access, accessOf, UNLISTED } from "../auth/permissions.ts";
import { isRepeatable } from "../routes/idempotency.ts";
import { HUB_VERSION } from "../version.ts";
import { CATALOGUE } from "./catalogue.ts";
import { type Described, type Details, DETAILS, type Parameter, READING, REPEATABLE, REPLAYED } from "./details.ts";

const PEOPLE = [{ session: [] }, { token: [] }];
const DEVICE = [{ device: [] }];
const READ = /^GET \/(api\/v1|mlops)\//;

const schemaOf = (schema: z.ZodType) => {
  const { $schema: _dialect, ...made } = z.toJSONSchema(schema);
  return made;
};

export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "Context Edge",
      version: HUB_VERSION,
      description:
        "Errors are problem documents (RFC 9457) with a stable `code`; docs/errors.md lists them. Lists answer `{items, next_cursor}`. Every answer of a route, but those to polls, has `x-request-id`.",
    },
    components: {
      securitySchemes: {
        session: { type: "apiKey", in: "cookie", name: "context_edge_session" },
        token: { type: "http", scheme: "bearer", description: "An API token." },
        device: { type: "http", scheme: "bearer", description: "The credential a device got when it enrolled." },
      },
    },
  },
  // The catalogue has a line of its own for a HEAD that is more than a GET without body.
  exposeHeadRoutes: true,
  transform: (input) => {
    const { route, url } = input;
    const method = [route.method].flat()[0] ?? "GET";
    const { hide: _hide, ...shown } = input.schema ?? {};
    const isTwin = method === "HEAD" && !CATALOGUE[`${method} ${url}`];
    return jsonSchemaTransform({ ...input, schema: isTwin || isPage(url) ? { hide: true } : shown });
  },
  transformObject: (made) => {
    if (!("openapiObject" in made)) return made.swaggerObject;
    const { openapiObject: document } = made;
    const paths = (document.paths ?? {}) as Record<string, Record<string, Operation>>;
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        describe(operation, `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`);
      }
    }
    const components = {
      ...document.components,
      schemas: { ...document.components?.schemas, Problem: schemaOf(Problem), LiveMessage: schemaOf(LiveMessage) },
      responses: {
        Problem: {
          description: "A problem document; docs/errors.md lists the codes.",
          headers: {
            "Retry-After": { description: "Seconds, where trying again later may help.", schema: { type: "integer" } },
          },
          content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
    };
    return { ...document, components } as typeof document;
  },
};

/** As far as it is filled in here. */
interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  security?: object[];
  parameters?: (Parameter | object)[];
  requestBody?: object;
  responses: Record<string, Partial<Described> | { $ref: string }>;
}

/** The dashboard's files and the documentation itself are no part of the API. */
function isPage(url: string): boolean {
  return !/^\/(api\/v1|mlops|device\/v1)\/|^\/(healthz|readyz|metrics)$/.test(url);
}

function describe(operation: Operation, name: string): void {
  const [method = "", pattern = ""] = name.split(" ");
  const line = CATALOGUE[name];
  if (line) Object.assign(operation, { summary: line.summary, tags: [line.tag] });
  const access = accessOf(method, pattern) ?? UNLISTED;
  operation.description = whoMay(access, pattern);
  operation.security =
    access.least === "anyone" || pattern.endsWith("/enroll") ? [] : access.least === "device" ? DEVICE : PEOPLE;
  for (const [status, response] of Object.entries(operation.responses)) {
    if ("description" in response && response.description === "Default Response") response.description = "Done.";
    if (status === "204") operation.responses[status] = { description: "Done." };
  }
  // A route without a schema of its answers has got one that says nothing.
  if (!("content" in (operation.responses["200"] ?? {}))) delete operation.responses["200"];
  if (READ.test(name) && operation.responses["200"]) add(operation, READING);
  if (isRepeatable(method, pattern)) {
    add(operation, REPEATABLE);
    for (const [status, response] of Object.entries(operation.responses))
      if (status.startsWith("2")) Object.assign(response, { headers: REPLAYED });
  }
  const details = DETAILS[name];
  if (details) add(operation, details);
  operation.responses["default"] = { $ref: "#/components/responses/Problem" };
}

function add(operation: Operation, { parameters = [], requestBody, responses = {} }: Details): void {
  operation.parameters = [...(operation.parameters ?? []), ...parameters];
  if (requestBody) operation.requestBody = requestBody;
  for (const [status, more] of Object.entries(responses)) {
    const known = operation.responses[status] ?? {};
    const description = more.description || ("description" in known ? known.description : undefined) || "Done.";
    operation.responses[status] = { ...known, ...more, description };
  }
}

function whoMay({ least, publisher }: Access, pattern: string): string {
  if (least === "anyone") return "Open to anyone.";
  if (least === "device")
    return pattern.endsWith("/enroll")
      ? "For devices, with a join token."
      : "For devices, each with its own credential.";
  return `Needs the role ${least}${publisher ? ", or a publisher's token" : ""}.`;
}
