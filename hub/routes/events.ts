// The history as a list, and everything live as server-sent events that resume where a connection broke.
import { Event, listOf, ListQuery } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Hub } from "../hub.ts";
import { streamLive } from "../live.ts";
import { badCursor } from "./listing.ts";

export function addEventRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.get(
    "/api/v1/audit",
    { schema: { querystring: ListQuery, response: { 200: listOf(Event) } } },
    async ({ query }) => {
      const before = query.cursor === undefined ? undefined : Number(query.cursor);
      if (before !== undefined && !Number.isSafeInteger(before)) throw badCursor(query.cursor ?? "");
      const found = await hub.store.events.newest(query.limit + 1, before);
      const items = found.slice(0, query.limit);
      return { items, next_cursor: found.length > query.limit ? String(items.at(-1)?.id ?? "") : null };
    },
  );

  routes.get("/api/v1/events", { schema: { hide: true } }, (request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    const header = request.headers["last-event-id"];
    const lastId = typeof header === "string" && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
    streamLive(hub, reply.raw, lastId);
  });
}
