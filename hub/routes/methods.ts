// Which methods an address has: told to whoever comes with another one (405 with Allow, RFC 9110 §15.5.6).
import type { FastifyReply, FastifyRequest } from "fastify";
import { ProblemError } from "../problem-error.ts";

/** @param routeKeys `GET /api/v1/devices/:id`, … @returns the methods at a path, in alphabetical order; none where nothing is. */
export function methodsOf(routeKeys: Iterable<string>): (path: string) => string[] {
  const byPattern = new Map<string, Set<string>>();
  for (const key of routeKeys) {
    const [method = "", pattern = ""] = key.split(" ");
    byPattern.set(pattern, (byPattern.get(pattern) ?? new Set()).add(method));
  }
  const all = [...byPattern].map(([pattern, methods]) => ({ fits: expressionOf(pattern), methods }));
  return (path) => {
    const found = all.filter(({ fits }) => fits.test(path)).flatMap(({ methods }) => [...methods]);
    return [...new Set(found)].toSorted();
  };
}

function expressionOf(pattern: string): RegExp {
  const segments = pattern
    .split("/")
    .map((segment) => (segment.startsWith(":") ? "[^/]+" : segment.replaceAll(".", "\\.").replaceAll("*", ".*")));
  return new RegExp(`^${segments.join("/")}/?$`);
}

/** @throws METHOD_NOT_ALLOWED where the address has other methods. */
export function refuseOtherMethod(
  methodsAt: (path: string) => string[],
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const path = request.url.split("?", 1)[0] ?? "";
  const methods = methodsAt(path);
  if (methods.length === 0) return;
  reply.header("allow", methods.join(", "));
  throw new ProblemError(
    "METHOD_NOT_ALLOWED",
    `${path.slice(0, 200)} has no ${request.method}, but ${methods.join(", ")}.`,
    {
      nextStep: "The API is described at /api/docs.",
    },
  );
}
