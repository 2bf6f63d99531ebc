// Deploying under /mlops: pilot, all, rollback, the pilot's metrics and the labelled truth.
import {
  DeployAllRequest,
  DeployPilotRequest,
  DeployReply,
  OutcomesReply,
  OutcomesRequest,
  PilotMetrics,
  RollbackRequest,
} from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import { unknownDevice } from "../devices.ts";
import { figuresOf, pilotMetrics } from "../facts.ts";
import type { Hub } from "../hub.ts";
import { deployAll, deployPilot, deployReply, rollBackVersion, telling } from "../operations/deploy.ts";
import { parseModel } from "../operations/register.ts";
import { unknownVersion } from "../deployable.ts";
import { ModelQuery } from "./mlops-models.ts";

const LABELS_LIMIT_BYTES = 4 * 2 ** 20;

const NO_DEPLOYMENT: Omit<PilotMetrics, "version_id"> = {
  deployment_id: null,
  pilot_devices_total: 0,
  pilot_devices_online: 0,
  monitoring_duration_hours: 0,
  predictions_total: 0,
  accuracy_validated: null,
  false_positive_rate: null,
  false_negative_rate: null,
  errors: 0,
  avg_inference_time_ms: null,
  labelled_total: 0,
  can_deploy_to_all: false,
  blockers: [],
};

export function addMlopsDeployRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store } = hub;
  const params = z.object({ version: z.string() });
  const schema = { params, querystring: ModelQuery, response: { 200: DeployReply } };

  routes.post(
    "/mlops/models/:version/deploy-pilot",
    { schema: { ...schema, body: DeployPilotRequest } },
    async (request) => {
      const {
        params: { version },
        query,
        body,
      } = request;
      const subject = { model: parseModel(query.model), version, reason: body.reason };
      return deployReply(hub, await deployPilot(hub, actorOf(request), subject, body.pilot_device_ids));
    },
  );

  routes.post(
    "/mlops/models/:version/deploy-all",
    { schema: { ...schema, body: DeployAllRequest.nullish() } },
    async (request) => {
      const {
        params: { version },
        query,
        body,
      } = request;
      const subject = { model: parseModel(query.model), version, reason: body?.reason };
      return deployReply(hub, await deployAll(hub, actorOf(request), subject, body?.override));
    },
  );

  routes.post("/mlops/models/:version/rollback", { schema: { ...schema, body: RollbackRequest } }, async (request) => {
    const {
      params: { version },
      query,
      body,
    } = request;
    const subject = { model: parseModel(query.model), version, reason: body.reason };
    return deployReply(hub, await rollBackVersion(hub, actorOf(request), subject, body.rollback_to_version));
  });

  routes.get(
    "/mlops/deployment/:version/metrics",
    { schema: { params, querystring: ModelQuery, response: { 200: PilotMetrics } } },
    async ({ params: { version }, query }) => {
      const model = parseModel(query.model);
      const record = await store.versions.find(model, version);
      if (!record) throw unknownVersion(model, version);
      const deployment = await telling(hub, model, version);
      if (!deployment)
        return { version_id: version, ...NO_DEPLOYMENT, blockers: [`${version} has not been on a pilot group yet`] };
      const fleet = await hub.fleet();
      const figures = await figuresOf(store, fleet, deployment, hub.now());
      return pilotMetrics(deployment, figures);
    },
  );

  routes.post(
    "/mlops/deployment/:version/outcomes",
    {
      bodyLimit: LABELS_LIMIT_BYTES,
      schema: { params, querystring: ModelQuery, body: OutcomesRequest, response: { 200: OutcomesReply } },
    },
    async ({ params: { version }, query, body }) => {
      const model = parseModel(query.model);
      if (!(await store.versions.find(model, version))) throw unknownVersion(model, version);
      const known = new Set((await store.devices.list()).map(({ id }) => id));
      const stranger = body.outcomes.find(({ device_id }) => !known.has(device_id));
      if (stranger) throw unknownDevice(stranger.device_id);
      const labels = body.outcomes.map((outcome) => ({ model, version, ...outcome }));
      const accepted = await store.transaction((tx) => tx.labels.insert(labels));
      return { accepted, duplicates: labels.length - accepted };
    },
  );
}
