// Deployments: list, one, and steering them.
import {
  CreateDeploymentRequest,
  Deployment,
  DeploymentActionRequest,
  DeploymentPreview,
  DeploymentState,
  GroupName,
  listOf,
  ListQuery,
} from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import type { Hub } from "../hub.ts";
import { createDeployment, previewDeployment } from "../operations/plan.ts";
import { ACTIONS, findDeployment, steer } from "../operations/steer.ts";
import { deploymentView } from "../views.ts";
import { idCursor, writeCursor } from "./sorted-page.ts";

export function addDeploymentRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store } = hub;

  routes.get(
    "/api/v1/deployments",
    {
      schema: {
        querystring: ListQuery.extend({
          model: z.string().optional(),
          version: z.string().optional(),
          state: DeploymentState.optional(),
          group: GroupName.optional(),
        }),
        response: { 200: listOf(Deployment) },
      },
    },
    async ({ query: { limit, cursor, model, version, state, group } }) => {
      const before = idCursor(cursor, "deployments");
      const filter = {
        limit: limit + 1,
        ...(before === undefined ? {} : { before }),
        ...(state === undefined ? {} : { state }),
        ...(group === undefined ? {} : { group }),
        ...(model === undefined ? {} : { model }),
        ...(version === undefined ? {} : { version }),
      };
      const found = await store.deployments.list(filter);
      const fleet = await hub.fleet();
      const items = found.slice(0, limit);
      return {
        items: items.map((deployment) => deploymentView(fleet, deployment)),
        next_cursor: found.length > limit ? writeCursor("deployments", [items.at(-1)?.id, ""]) : null,
      };
    },
  );

  routes.get(
    "/api/v1/deployments/:id",
    { schema: { params: z.object({ id: z.string() }), response: { 200: Deployment } } },
    async ({ params: { id } }) => deploymentView(await hub.fleet(), await findDeployment(hub, id)),
  );

  routes.post(
    "/api/v1/deployments",
    { schema: { body: CreateDeploymentRequest, response: { 201: Deployment } } },
    async (request, reply) => {
      const deployment = await createDeployment(hub, actorOf(request), request.body);
      return reply.code(201).send(deploymentView(await hub.fleet(), deployment));
    },
  );

  routes.post(
    "/api/v1/deployments/preview",
    { schema: { body: CreateDeploymentRequest, response: { 200: DeploymentPreview } } },
    ({ body }) => previewDeployment(hub, body),
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
      async (request) => {
        const {
          params: { id },
          body,
        } = request;
        const deployment = await steer(hub, actorOf(request), id, action, body ?? {});
        return deploymentView(await hub.fleet(), deployment);
      },
    );
  }
}
