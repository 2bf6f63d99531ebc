// Deployments: list, one, and steering them.
import { Deployment, DeploymentActionRequest, listOf, ListQuery } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import { readFleet } from "../fleet.ts";
import type { Hub } from "../hub.ts";
import { ACTIONS, findDeployment, steer } from "../operations/steer.ts";
import { deploymentView } from "../views.ts";

export function addDeploymentRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store, presence } = hub;

  routes.get(
    "/api/v1/deployments",
    {
      schema: {
        querystring: ListQuery.extend({ model: z.string().optional(), version: z.string().optional() }),
        response: { 200: listOf(Deployment) },
      },
    },
    async ({ query: { limit, cursor, model, version } }) => {
      const filter = {
        limit: limit + 1,
        ...(cursor === undefined ? {} : { before: cursor }),
        ...(model === undefined ? {} : { model }),
        ...(version === undefined ? {} : { version }),
      };
      const found = await store.deployments.list(filter);
      const fleet = await readFleet(store, presence);
      const items = found.slice(0, limit);
      return {
        items: items.map((deployment) => deploymentView(fleet, deployment)),
        next_cursor: found.length > limit ? (items.at(-1)?.id ?? null) : null,
      };
    },
  );

  routes.get(
    "/api/v1/deployments/:id",
    { schema: { params: z.object({ id: z.string() }), response: { 200: Deployment } } },
    async ({ params: { id } }) => deploymentView(await readFleet(store, presence), await findDeployment(hub, id)),
  );

  for (const action of ACTIONS) {
    routes.post(
      `/api/v1/deployments/:id/${action}`,
      {
        schema: {
          params: z.object({ id: z.string() }),
          body: DeploymentActionRequest.nullish(),
          response: { 200: Deployment },
        },
      },
      async ({ params: { id }, body }) => {
        const deployment = await steer(hub, actorOf(hub.config), id, action, body?.reason);
        return deploymentView(await readFleet(store, presence), deployment);
      },
    );
  }
}
