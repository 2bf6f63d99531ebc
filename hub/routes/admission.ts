// Which devices belong here, for admins: decommission one, or let it enrol again.
import { DecommissionRequest, AdmissionReply } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import type { Hub } from "../hub.ts";
import { decommission, readmit } from "../operations/admission.ts";

export function addAdmissionRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const params = z.object({ id: z.string() });

  routes.post(
    "/api/v1/devices/:id/decommission",
    { schema: { params, body: DecommissionRequest, response: { 200: AdmissionReply } } },
    async (request) => {
      const { params: device, body } = request;
      await hub.changes.make(actorOf(request), (change) => decommission(change, device.id, body.reason));
      // A poll it holds ends now, with the refusal; deployments stop counting it.
      hub.publisher.wakeDevice(device.id);
      hub.conductor.wake();
      return { message: `${device.id} is decommissioned: its credential is void.` };
    },
  );

  routes.post(
    "/api/v1/devices/:id/readmit",
    { schema: { params, response: { 200: AdmissionReply } } },
    async (request) => {
      const { id } = request.params;
      await hub.changes.make(actorOf(request), (change) => readmit(change, id));
      hub.conductor.wake();
      return { message: `${id} may enrol again, with a join token.` };
    },
  );
}
