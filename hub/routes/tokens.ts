// API tokens and join tokens, for admins: list, make (the secret is in this one answer), revoke.
import {
  ApiToken,
  CreatedJoinToken,
  CreatedToken,
  CreateJoinTokenRequest,
  CreateTokenRequest,
  JoinToken,
  listOf,
  ListQuery,
} from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import type { Hub } from "../hub.ts";
import { createJoinToken, createToken, joinTokenView, revokeToken, tokenView } from "../operations/tokens.ts";
import { pageOf } from "./listing.ts";

export function addTokenRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { changes, store } = hub;
  const params = z.object({ id: z.string() });

  routes.get(
    "/api/v1/tokens",
    { schema: { querystring: ListQuery, response: { 200: listOf(ApiToken) } } },
    async ({ query }) => {
      const page = pageOf(await store.tokens.list(), ({ id }) => id, query);
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
    { schema: { querystring: ListQuery, response: { 200: listOf(JoinToken) } } },
    async ({ query }) => {
      const page = pageOf(await store.joinTokens.list(), ({ id }) => id, query);
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
