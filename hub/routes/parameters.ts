// What stands behind the `?` of an address: parameters that a route does not have are refused, for whoever misspells a filter would get everything.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ProblemError } from "../problem-error.ts";

/** The wire of devices and of the training side is fixed, and what a provider adds to its redirect is its own business. */
const STRICT = /^\/api\/v1\/(?!session\/oidc\/callback$)/;

/** For the scope of people's routes. */
export function refuseUnknownParameters(app: FastifyInstance): void {
  app.addHook("preValidation", async (request) => {
    if (!STRICT.test(request.routeOptions.url ?? "")) return;
    const known = knownTo(request);
    const unknown = Object.keys(request.query as object).filter((name) => !known.includes(name));
    if (unknown.length === 0) return;
    const [first = ""] = unknown;
    const nextStep =
      known.length === 0 ? "This address takes no parameters." : `This address takes: ${known.join(", ")}.`;
    throw new ProblemError("BAD_REQUEST", `There is no parameter ${JSON.stringify(first.slice(0, 100))} here.`, {
      nextStep,
      context: { unknown: unknown.map((name) => name.slice(0, 100)).slice(0, 10), known },
    });
  });
}

function knownTo(request: FastifyRequest): string[] {
  const schema = request.routeOptions.schema?.querystring;
  const isObject = typeof schema === "object" && schema !== null && "shape" in schema;
  return isObject ? Object.keys(schema.shape as object) : [];
}
