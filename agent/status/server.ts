// The device's own page over HTTP: read-only, for whoever is on the device's network, and for no foreign page.
import { hostname } from "node:os";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { SCRIPT, STYLE } from "./assets.ts";
import type { StatusDocument } from "./document.ts";
import { isOwnHost } from "./hosts.ts";
import { renderMetrics } from "./metrics.ts";
import { renderPage } from "./page.ts";

export interface StatusSource {
  device: string;
  statusUrl: string | undefined;
  document(): Promise<StatusDocument>;
  /** Calls `tell` at every change until the returned function is called. */
  subscribe(tell: () => void): () => void;
}

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};
/** A held stream costs a descriptor; beyond this the page falls back to polling. */
const LISTENERS = 16;
const KEEP_ALIVE_MS = 15_000;

export function statusServer(source: StatusSource): FastifyInstance {
  const app = Fastify({ logger: false, bodyLimit: 1_024, connectionTimeout: 30_000, requestTimeout: 10_000 });
  const names = { hostname: hostname(), device: source.device, statusUrl: source.statusUrl };
  const listeners = new Set<FastifyReply>();

  app.addHook("onRequest", async (request, reply) => {
    void reply.headers(HEADERS);
    if (isOwnHost(request.headers.host, names)) return;
    await reply.code(421).send({
      code: "HOST_REFUSED",
      message: "this page answers only to the device's own names",
      next_step: "Use the device's address, or set AGENT_STATUS_URL to the name you use.",
    });
  });

  app.get("/", async (_request, reply) =>
    reply.type("text/html; charset=utf-8").send(renderPage(await source.document())),
  );
  app.get("/status.json", async (_request, reply) => reply.send(await source.document()));
  app.get("/metrics", async (_request, reply) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(renderMetrics(await source.document())),
  );
  app.get("/healthz", async (_request, reply) => reply.send({ status: "ok" }));
  app.get("/status.css", async (_request, reply) => reply.type("text/css; charset=utf-8").send(STYLE));
  app.get("/status.js", async (_request, reply) => reply.type("text/javascript; charset=utf-8").send(SCRIPT));

  app.get("/events", async (_request, reply) => {
    if (listeners.size >= LISTENERS)
      return reply.code(503).header("retry-after", "60").send({ code: "TOO_MANY_LISTENERS" });
    reply.hijack();
    listeners.add(reply);
    reply.raw.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
    reply.raw.write(": open\n\n");
    const unsubscribe = source.subscribe(() => reply.raw.write("data: changed\n\n"));
    const alive = setInterval(() => reply.raw.write(": alive\n\n"), KEEP_ALIVE_MS);
    reply.raw.once("close", () => {
      clearInterval(alive);
      unsubscribe();
      listeners.delete(reply);
    });
  });

  // Held streams would keep a closing server open.
  app.addHook("preClose", async () => {
    for (const reply of listeners) reply.raw.end();
  });
  return app;
}
