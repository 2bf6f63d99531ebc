// Training and review under /mlops/models: register, pending, approve, reject.
import {
  ModelSummary,
  PendingReply,
  RegisterReply,
  RegisterRequest,
  RejectRequest,
  ReviewReply,
} from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import { readFleet } from "../fleet.ts";
import type { Hub } from "../hub.ts";
import { parseModel, registerVersion } from "../operations/register.ts";
import { reviewVersion } from "../operations/review.ts";
import { summaryView } from "../views.ts";

export const ModelQuery = z.object({ model: z.string().max(128).optional() });

export function addMlopsModelRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store, presence } = hub;

  routes.post(
    "/mlops/models/register",
    {
      schema: { querystring: ModelQuery, body: RegisterRequest, response: { 200: RegisterReply, 201: RegisterReply } },
    },
    async ({ query, body }, reply) => {
      const { record, isNew, warnings } = await registerVersion(hub, actorOf(hub.config), query.model, body);
      const summary: ModelSummary = summaryView(await readFleet(store, presence), record);
      const message = isNew
        ? `${record.version_id} waits for review.`
        : `${record.version_id} was registered before, with the same content.`;
      return reply.code(isNew ? 201 : 200).send({ ...summary, message, warnings });
    },
  );

  routes.get(
    "/mlops/models/pending",
    { schema: { querystring: ModelQuery, response: { 200: PendingReply } } },
    async ({ query }) => {
      const fleet = await readFleet(store, presence);
      const versions = await store.versions.list(parseModel(query.model));
      return {
        models: versions.filter(({ stage }) => stage === "pending").map((record) => summaryView(fleet, record)),
      };
    },
  );

  const params = z.object({ version: z.string() });
  routes.post(
    "/mlops/models/:version/approve",
    {
      schema: {
        params,
        querystring: ModelQuery,
        body: z.object({ reason: z.string().max(1_000).optional() }).nullish(),
        response: { 200: ReviewReply },
      },
    },
    async ({ params: { version }, query, body }) => {
      const review = { model: parseModel(query.model), version, to: "approved" as const, reason: body?.reason ?? "" };
      const status = await reviewVersion(hub, actorOf(hub.config), review);
      return { message: `${version} is approved.`, version_id: version, status };
    },
  );

  routes.post(
    "/mlops/models/:version/reject",
    { schema: { params, querystring: ModelQuery, body: RejectRequest, response: { 200: ReviewReply } } },
    async ({ params: { version }, query, body }) => {
      const review = { model: parseModel(query.model), version, to: "rejected" as const, reason: body.reason };
      const status = await reviewVersion(hub, actorOf(hub.config), review);
      return { message: `${version} is rejected.`, version_id: version, status };
    },
  );
}
