// The history as a list, and everything live as server-sent events that resume where a connection broke.
import { Event, listOf, ListQuery, QueryTime } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { endWhenSignedOut } from "../auth/watch-stream.ts";
import { z } from "zod";
import type { Hub } from "../hub.ts";
import { openLive } from "../live.ts";
import { idCursor, writeCursor } from "./sorted-page.ts";

const AuditQuery = ListQuery.extend({
  /** Words in the sentence, the actor or the subject. */
  q: z.string().max(200).optional(),
  /** One kind, or a family of them: `device` is everything that begins with `device.`. */
  kind: z.string().max(128).optional(),
  actor: z.string().max(256).optional(),
  subject: z.string().max(256).optional(),
  from: QueryTime.optional(),
  to: QueryTime.optional(),
});

export function addEventRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const live = openLive(hub);

  routes.get(
    "/api/v1/audit",
    { schema: { querystring: AuditQuery, response: { 200: listOf(Event) } } },
    async ({ query }) => {
      const { cursor, limit, ...filter } = query;
      const before = cursor === undefined ? undefined : Number(idCursor(cursor, "audit"));
      const found = await hub.store.events.newest(limit + 1, before, filter);
      const items = found.slice(0, query.limit);
      return { items, next_cursor: found.length > query.limit ? writeCursor("audit", [items.at(-1)?.id, ""]) : null };
    },
  );

  // Without HEAD: a stream that has no end has no head alone.
  routes.get("/api/v1/events", { exposeHeadRoute: false, schema: { hide: true } }, (request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    const header = request.headers["last-event-id"];
    const lastId = typeof header === "string" && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
    endWhenSignedOut(hub.people, request, reply.raw);
    live.join(reply.raw, lastId);
    // At the hub's end: not everybody comes back at the same moment.
    const leave = () => reply.raw.end(`retry: ${1_000 + Math.round(4_000 * Math.random())}\n\n`);
    hub.ending.signal.addEventListener("abort", leave);
    reply.raw.once("close", () => hub.ending.signal.removeEventListener("abort", leave));
  });
}
