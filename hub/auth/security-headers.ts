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

export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-content-type-options", "nosniff");
    reply.header("referrer-policy", "no-referrer");
    // The API's own documentation page brings its policy along.
    if (!request.url.startsWith("/api/docs")) reply.header("content-security-policy", DASHBOARD_POLICY);
  });
}
