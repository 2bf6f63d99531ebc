// The OpenAPI document: made from the routes' own schemas, with a line from the catalogue, who may call, and how refusals look.
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import { z } from "zod";
import { Problem, PROBLEM_MEDIA_TYPE } from "@context-edge/protocol";
import { HUB_VERSION } from "../version.ts";
import { CATALOGUE, type Line } from "./catalogue.ts";

const OPEN = new Set(["GET /healthz", "GET /readyz", "GET /api/v1/session", "POST /api/v1/session"]);
const PEOPLE = [{ session: [] }, { token: [] }];
const DEVICE = [{ device: [] }];

export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "Context Edge",
      version: HUB_VERSION,
      description: "Errors are problem documents (RFC 9457) with a stable `code`. Lists answer `{items, next_cursor}`.",
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
    const name = `${method} ${url}`;
    const line = CATALOGUE[name];
    const { hide: _hide, ...shown } = input.schema ?? {};
    const isTwin = method === "HEAD" && !line;
    const made = jsonSchemaTransform({ ...input, schema: isTwin || isPage(url) ? { hide: true } : shown });
    return line ? { ...made, schema: described(made.schema as Record<string, unknown>, name, line) } : made;
  },
};

/** The dashboard's files and the documentation itself are no part of the API. */
function isPage(url: string): boolean {
  return !/^\/(api\/v1|mlops|device\/v1)\/|^\/(healthz|readyz|metrics)$/.test(url);
}

function described(schema: Record<string, unknown>, name: string, { tag, summary }: Line): Record<string, unknown> {
  const problem = {
    description: "A problem document; docs/errors.md lists the codes.",
    content: { [PROBLEM_MEDIA_TYPE]: { schema: z.toJSONSchema(Problem) } },
  };
  const isDevices = tag === "devices' door" && !name.endsWith("/enroll");
  const isOpen = OPEN.has(name) || name.endsWith("/enroll");
  return {
    ...schema,
    summary,
    tags: [tag],
    security: isOpen ? [] : isDevices ? DEVICE : PEOPLE,
    response: { ...(schema["response"] as object | undefined), default: problem },
  };
}
