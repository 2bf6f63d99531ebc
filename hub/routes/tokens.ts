// API tokens and join tokens, for admins: list, make (the secret is in this one answer), revoke.
import {
  ApiToken,
  CreatedJoinToken,
  CreatedToken,
  CreateJoinTokenRequest,
  CreateTokenRequest,
  JoinToken,
  listOf,
  NamedListQuery,
} from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import type { Hub } from "../hub.ts";
import { createJoinToken, createToken, joinTokenView, revokeToken, tokenView } from "../operations/tokens.ts";
import { isPartOf } from "./listing.ts";
import { type Order, sortedPage } from "./sorted-page.ts";

const oldestFirst = <T extends { id: string; created_at: string }>(name: string): Order<T> => ({
  name,
  keyOf: ({ created_at }) => created_at,
  idOf: ({ id }) => id,
  descending: false,
});

export function addTokenRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { changes, store } = hub;
  const params = z.object({ id: z.string() });

  routes.get(
    "/api/v1/tokens",
    { schema: { querystring: NamedListQuery, response: { 200: listOf(ApiToken) } } },
    async ({ query }) => {
      const wanted = (await store.tokens.list()).filter(({ name }) => isPartOf(query.q, name));
      const page = sortedPage(wanted, oldestFirst("tokens"), query);
      return { ...page, items: page.items.map(tokenView) };
    },
  );

  routes.post(
    "/api/v1/tokens",
    { schema: { body: CreateTokenRequest, response: { 201: CreatedToken } } },
    async (request, reply) => {
      const { record, secret } = await changes.make(actorOf(request), (change) => createToken(change, request.body));
      return reply.code(201).send({ token: tokenView(record), secret });
    },
  );

  routes.get(
    "/api/v1/join-tokens",
    { schema: { querystring: NamedListQuery, response: { 200: listOf(JoinToken) } } },
    async ({ query }) => {
      const wanted = (await store.joinTokens.list()).filter(({ name }) => isPartOf(query.q, name));
      const page = sortedPage(wanted, oldestFirst("join-tokens"), query);
      return { ...page, items: page.items.map(joinTokenView) };
    },
  );

  routes.post(
    "/api/v1/join-tokens",
    { schema: { body: CreateJoinTokenRequest, response: { 201: CreatedJoinToken } } },
    async (request, reply) => {
      const { record, secret } = await changes.make(actorOf(request), (change) =>
        createJoinToken(change, request.body),
      );
      return reply.code(201).send({ join_token: joinTokenView(record), secret });
    },
  );

  for (const kind of ["token", "join-token"] as const) {
    routes.delete(
      `/api/v1/${kind}s/:id`,
      { schema: { params, response: { 204: z.null() } } },
      async (request, reply) => {
        await changes.make(actorOf(request), (change) => revokeToken(change, kind, request.params));
        return reply.code(204).send(null);
      },
    );
  }
}
