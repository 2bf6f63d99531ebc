// Groups and their targets.
import { CreateGroupRequest, Deployment, Group, listOf, ListQuery, PutTargetRequest } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import { readFleet } from "../fleet.ts";
import type { Hub } from "../hub.ts";
import { assignTarget } from "../operations/deploy.ts";
import { parseModel } from "../operations/register.ts";
import { ProblemError } from "../problem-error.ts";
import { deploymentView, groupView } from "../views.ts";
import { pageOf } from "./listing.ts";

export function addGroupRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store, presence } = hub;
  const one = async (name: string): Promise<Group> => {
    const fleet = await readFleet(store, presence);
    const group = fleet.groups.find((candidate) => candidate.name === name);
    if (!group)
      throw new ProblemError("GROUP_UNKNOWN", `There is no group ${name}.`, {
        nextStep: "List them with GET /api/v1/groups.",
      });
    return groupView(fleet, presence, group);
  };

  routes.get(
    "/api/v1/groups",
    { schema: { querystring: ListQuery, response: { 200: listOf(Group) } } },
    async ({ query }) => {
      const fleet = await readFleet(store, presence);
      const page = pageOf(fleet.groups, ({ name }) => name, query);
      return { ...page, items: page.items.map((group) => groupView(fleet, presence, group)) };
    },
  );

  routes.get(
    "/api/v1/groups/:group",
    { schema: { params: z.object({ group: z.string() }), response: { 200: Group } } },
    ({ params }) => one(params.group),
  );

  routes.post(
    "/api/v1/groups",
    { schema: { body: CreateGroupRequest, response: { 200: Group, 201: Group } } },
    async ({ body }, reply) => {
      const actor = actorOf(hub.config);
      const isNew = await hub.changes.make(actor, async ({ tx, at, touched, tell }) => {
        const created = await tx.groups.ensure(body.name, at);
        if (created) await tell("group.created", body.name, `${actor} created group ${body.name}`);
        touched.groups.add(body.name);
        return created;
      });
      await hub.publisher.refresh([body.name]);
      return reply.code(isNew ? 201 : 200).send(await one(body.name));
    },
  );

  routes.put(
    "/api/v1/groups/:group/target",
    { schema: { params: z.object({ group: z.string() }), body: PutTargetRequest, response: { 200: Deployment } } },
    async ({ params, body }) => {
      const subject = { model: parseModel(body.model), version: body.version, reason: body.reason };
      const deployment = await assignTarget(hub, actorOf(hub.config), subject, params.group);
      return deploymentView(await readFleet(store, presence), deployment);
    },
  );
}
