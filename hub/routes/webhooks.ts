// Webhooks: who is told what, and what became of it.
import {
  CreatedWebhook,
  CreateWebhookRequest,
  listOf,
  ListQuery,
  NamedListQuery,
  PatchWebhookRequest,
  Webhook,
  WebhookDelivery,
} from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import type { Hub } from "../hub.ts";
import {
  changeHook,
  createHook,
  deliveryView,
  findHook,
  hookViews,
  removeHook,
  retry,
  test,
} from "../webhooks/hooks.ts";
import type { WebhookRecord } from "../store/webhooks.ts";
import { isPartOf } from "./listing.ts";
import { idCursor, type Order, sortedPage, writeCursor } from "./sorted-page.ts";

const OLDEST_FIRST: Order<WebhookRecord> = {
  name: "webhooks",
  keyOf: ({ created_at }) => created_at,
  idOf: ({ id }) => id,
  descending: false,
};

export function addWebhookRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store } = hub;
  const params = z.object({ id: z.string() });
  const one = async (id: string) => {
    const hook = await findHook(store, id);
    const [view] = await hookViews(store, [hook]);
    return view ?? Promise.reject(new Error("no view"));
  };

  routes.get(
    "/api/v1/webhooks",
    // They have no names: `q` is a part of the address.
    { schema: { querystring: NamedListQuery, response: { 200: listOf(Webhook) } } },
    async ({ query }) => {
      const wanted = (await store.webhooks.list()).filter(({ url }) => isPartOf(query.q, url));
      const page = sortedPage(wanted, OLDEST_FIRST, query);
      return { ...page, items: await hookViews(store, page.items) };
    },
  );

  routes.post(
    "/api/v1/webhooks",
    { schema: { body: CreateWebhookRequest, response: { 201: CreatedWebhook } } },
    async (request, reply) => {
      const created = await createHook(hub, actorOf(request), request.body);
      reply.header("cache-control", "no-store");
      return reply.code(201).send({ ...(await one(created.id)), secret: created.secret });
    },
  );

  routes.get("/api/v1/webhooks/:id", { schema: { params, response: { 200: Webhook } } }, ({ params: { id } }) =>
    one(id),
  );

  routes.patch(
    "/api/v1/webhooks/:id",
    { schema: { params, body: PatchWebhookRequest, response: { 200: Webhook } } },
    async (request) => {
      await changeHook(hub, actorOf(request), request.params.id, request.body);
      return one(request.params.id);
    },
  );

  routes.delete("/api/v1/webhooks/:id", { schema: { params, response: { 204: z.null() } } }, async (request, reply) => {
    await removeHook(hub, actorOf(request), request.params.id);
    return reply.code(204).send(null);
  });

  routes.post(
    "/api/v1/webhooks/:id/test",
    { schema: { params, response: { 202: WebhookDelivery } } },
    async (request, reply) => reply.code(202).send(await test(hub, actorOf(request), request.params.id)),
  );

  routes.get(
    "/api/v1/webhooks/:id/deliveries",
    { schema: { params, querystring: ListQuery, response: { 200: listOf(WebhookDelivery) } } },
    async ({ params: { id }, query: { limit, cursor } }) => {
      await findHook(store, id);
      const list = `deliveries/${id}`;
      const before = idCursor(cursor, list);
      const found = await store.deliveries.list(id, limit + 1, before === undefined ? undefined : Number(before));
      const items = found.slice(0, limit);
      return {
        items: items.map(deliveryView),
        next_cursor: found.length > limit ? writeCursor(list, [items.at(-1)?.number, ""]) : null,
      };
    },
  );

  routes.post(
    "/api/v1/webhooks/:id/deliveries/:number/retry",
    {
      schema: {
        params: params.extend({ number: z.coerce.number().int().min(1).max(1e9) }),
        response: { 202: WebhookDelivery },
      },
    },
    async (request, reply) => {
      const { id, number } = request.params;
      return reply.code(202).send(await retry(hub, actorOf(request), id, number));
    },
  );
}
