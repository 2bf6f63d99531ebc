// The devices' door: enrol, poll the manifest, fetch assignment and artifacts, report. A poll that finds nothing new touches no disk.
import {
  DEVICE_ROUTES,
  Digest,
  EnrollReply,
  EnrollRequest,
  Envelope,
  Report,
  ReportReceipt,
} from "@context-edge/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { enroll } from "../devices.ts";
import type { Hub } from "../hub.ts";
import { rememberOffers } from "../offers.ts";
import { ProblemError } from "../problem-error.ts";
import { sendArtifact } from "./send-artifact.ts";

const REPORT_LIMIT_BYTES = 4 * 2 ** 20;

export function addDeviceSide(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const offers = rememberOffers(hub);
  const identify = (request: FastifyRequest) => hub.identities.identify(request.headers.authorization);

  routes.post(
    DEVICE_ROUTES.enroll,
    { schema: { body: EnrollRequest, response: { 201: EnrollReply } } },
    async ({ body, ip }, reply) => {
      const by = { joinToken: body.join_token, address: ip };
      const enrolled = await hub.people.guardedEnrolment(by, () =>
        enroll(hub.changes, hub.config.joinToken, body, hub.cluster),
      );
      hub.presence.seen(enrolled.device_id);
      await hub.publisher.refresh([enrolled.group]);
      return reply.code(201).send(enrolled);
    },
  );

  // The front door takes polls before they get here; this is for those written in another way, and for the API's description.
  app.get(DEVICE_ROUTES.manifest, { schema: { response: { 200: Envelope } } }, (request, reply) => {
    reply.hijack();
    hub.polls.answer(request.raw, reply.raw);
  });

  routes.get(DEVICE_ROUTES.assignment, { schema: { response: { 200: Envelope } } }, async (request) => {
    const device = await identify(request);
    hub.presence.seen(device.id);
    return hub.publisher.assignment(device);
  });

  routes.post(
    DEVICE_ROUTES.reports,
    {
      bodyLimit: REPORT_LIMIT_BYTES,
      // Before the body is read: a stranger's megabytes are not parsed.
      onRequest: async (request) => void (await identify(request)),
      schema: { body: Report, response: { 200: ReportReceipt } },
    },
    async (request) => {
      const device = await identify(request);
      if (request.body.device !== device.id) {
        throw new ProblemError("FORBIDDEN", `${device.id} may not report for ${request.body.device}.`);
      }
      hub.presence.seen(device.id);
      return hub.reports.take(device.id, request.body);
    },
  );

  routes.get(
    "/device/v1/artifacts/:digest",
    { schema: { params: z.object({ digest: Digest }) } },
    async (request, reply) => {
      const device = await identify(request);
      hub.presence.seen(device.id);
      const { digest } = request.params;
      if (!(await offers.include({ id: device.id, group_name: device.group_name }, digest))) throw notOffered(digest);
      return sendArtifact(hub, digest, request, reply);
    },
  );
}

/** The same whether there is such a file or not. */
function notOffered(digest: string): ProblemError {
  return new ProblemError("ARTIFACT_MISSING", `The manifest of this device's group names no artifact ${digest}.`, {
    nextStep: "Ask for the manifest again: what it names can be fetched.",
  });
}
