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
import type { Hub } from "../hub.ts";
import { parseModel, registerVersion } from "../operations/register.ts";
import { reviewVersion } from "../operations/review.ts";
import { summaryView } from "../views.ts";

export const ModelQuery = z.object({ model: z.string().max(128).optional() });

export function addMlopsModelRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store } = hub;

  routes.post(
    "/mlops/models/register",
    {
      schema: { querystring: ModelQuery, body: RegisterRequest, response: { 200: RegisterReply, 201: RegisterReply } },
    },
    async (request, reply) => {
      const { query, body } = request;
      const { record, isNew, warnings } = await registerVersion(hub, actorOf(request), query.model, body);
      const summary: ModelSummary = summaryView(await hub.fleet(), record);
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
      const fleet = await hub.fleet();
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
    async (request) => {
      const {
        params: { version },
        query,
        body,
      } = request;
      const review = { model: parseModel(query.model), version, to: "approved" as const, reason: body?.reason ?? "" };
      const status = await reviewVersion(hub, actorOf(request), review);
      return { message: `${version} is approved.`, version_id: version, status };
    },
  );

  routes.post(
    "/mlops/models/:version/reject",
    { schema: { params, querystring: ModelQuery, body: RejectRequest, response: { 200: ReviewReply } } },
    async (request) => {
      const {
        params: { version },
        query,
        body,
      } = request;
      const review = { model: parseModel(query.model), version, to: "rejected" as const, reason: body.reason };
      const status = await reviewVersion(hub, actorOf(request), review);
      return { message: `${version} is rejected.`, version_id: version, status };
    },
  );
}
