// Groups and their targets.
import {
  CreateGroupRequest,
  Deployment,
  Group,
  listOf,
  NamedListQuery,
  PutTargetRequest,
} from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import { ensureGroup } from "../devices.ts";
import type { Hub } from "../hub.ts";
import { assignTarget } from "../operations/deploy.ts";
import { deleteGroup, unknownGroup } from "../operations/groups.ts";
import { parseModel } from "../operations/register.ts";
import { ProblemError } from "../problem-error.ts";
import { deploymentView, groupView } from "../views.ts";
import { isPartOf } from "./listing.ts";
import { sortedPage } from "./sorted-page.ts";

const GroupsQuery = NamedListQuery.extend({
  sort: z.enum(["name", "created_at"]).default("created_at"),
  order: z.enum(["asc", "desc"]).default("asc"),
});

export function addGroupRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { presence } = hub;
  const one = async (name: string): Promise<Group> => {
    const fleet = await hub.fleet();
    const group = fleet.groups.find((candidate) => candidate.name === name);
    if (!group) throw unknownGroup(name);
    return groupView(fleet, presence, group);
  };

  routes.get(
    "/api/v1/groups",
    { schema: { querystring: GroupsQuery, response: { 200: listOf(Group) } } },
    async ({ query }) => {
      const fleet = await hub.fleet();
      const { sort, order } = query;
      const wanted = fleet.groups.filter(({ name }) => isPartOf(query.q, name));
      const page = sortedPage(
        wanted,
        {
          name: `groups/${sort}/${order}`,
          keyOf: (group) => group[sort],
          idOf: ({ name }) => name,
          descending: order === "desc",
        },
        query,
      );
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
    async (request, reply) => {
      const { body } = request;
      const actor = actorOf(request);
      const isNew = await hub.changes.make(actor, (change) => {
        change.touched.groups.add(body.name);
        return ensureGroup(change, body.name);
      });
      await hub.publisher.refresh([body.name]);
      return reply.code(isNew ? 201 : 200).send(await one(body.name));
    },
  );

  routes.delete(
    "/api/v1/groups/:group",
    { schema: { params: z.object({ group: z.string() }), response: { 204: z.null() } } },
    async (request, reply) => {
      const { group } = request.params;
      const { pilotGroup } = hub.config;
      const look = await hub.fleet();
      await hub.changes.make(actorOf(request), (change) => deleteGroup(change, group, { look, pilotGroup }));
      await hub.targets.refresh();
      return reply.code(204).send(null);
    },
  );

  routes.put(
    "/api/v1/groups/:group/target",
    { schema: { params: z.object({ group: z.string() }), body: PutTargetRequest, response: { 200: Deployment } } },
    async (request) => {
      const { params, body } = request;
      const subject = { model: parseModel(body.model), version: body.version, reason: body.reason };
      const { targets } = await one(params.group);
      requireSeen(request.headers["if-match"], targets[subject.model]?.deployment_id);
      const deployment = await assignTarget(hub, actorOf(request), subject, params.group);
      return deploymentView(await hub.fleet(), deployment);
    },
  );
}

/** `If-Match: "<deployment id>"`: only if the group still follows the deployment that the caller saw; `*`: only if it follows any. */
function requireSeen(ifMatch: string | undefined, follows: string | undefined): void {
  if (ifMatch === undefined || (ifMatch.trim() === "*" && follows !== undefined)) return;
  if (follows !== undefined && ifMatch.split(",").some((tag) => tag.trim() === `"${follows}"`)) return;
  throw new ProblemError("PRECONDITION_FAILED", `The group follows ${follows ?? "no deployment"} now.`, {
    nextStep: "Read the group again and decide anew.",
    context: { deployment_id: follows ?? null },
  });
}
