// Headers that keep a browser strict about what the dashboard may load and who may frame it.
import type { FastifyInstance } from "fastify";

/** Styles may be inline because web components set them; scripts never are. */
const DASHBOARD_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const SECRETS = /^\/api\/v1\/(session|setup|users|tokens|join-tokens)\b/;

export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-content-type-options", "nosniff");
    reply.header("referrer-policy", "no-referrer");
    // Their answers may hold a secret that is shown once. By the route's pattern: an address can be written in many ways.
    if (SECRETS.test(request.routeOptions.url ?? request.url)) reply.header("cache-control", "no-store");
    // The API's own documentation page brings its policy along.
    if (!request.url.startsWith("/api/docs")) reply.header("content-security-policy", DASHBOARD_POLICY);
  });
}
