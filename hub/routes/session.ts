// Who am I to this hub, and signing in with its token.
import { Session } from "@context-edge/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf, isSignedIn, SESSION_COOKIE } from "../auth/people.ts";
import { isSameSecret } from "../devices.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { HUB_VERSION } from "../version.ts";

const COOKIE_SECONDS = 7 * 86_400;

export function addSessionRoutes(app: FastifyInstance, { config }: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const describe = (request: FastifyRequest, signedIn = isSignedIn(request, config)): Session => ({
    auth: config.auth.kind,
    signed_in: signedIn,
    user: signedIn ? actorOf(config) : null,
    role: signedIn ? "admin" : null,
    hub_version: HUB_VERSION,
    gate_soak_seconds: config.gateSoakSeconds,
  });

  routes.get("/api/v1/session", { schema: { response: { 200: Session } } }, (request) => describe(request));

  routes.post(
    "/api/v1/session",
    { schema: { body: z.object({ token: z.string().max(1_000) }), response: { 200: Session } } },
    async (request, reply) => {
      if (config.auth.kind === "token" && !isSameSecret(request.body.token, config.auth.token)) {
        throw new ProblemError("UNAUTHENTICATED", "That is not the hub's token.", {
          nextStep: "Ask whoever runs the hub.",
        });
      }
      if (config.auth.kind === "token") {
        reply.setCookie(SESSION_COOKIE, config.auth.token, {
          httpOnly: true,
          sameSite: "strict",
          path: "/",
          maxAge: COOKIE_SECONDS,
          secure: request.protocol === "https",
        });
      }
      return describe(request, true);
    },
  );

  routes.delete("/api/v1/session", { schema: { response: { 200: Session } } }, async (request, reply) => {
    reply.clearCookie(SESSION_COOKIE, { path: "/" });
    return describe(request, config.auth.kind === "none");
  });
}
