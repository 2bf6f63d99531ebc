// Pinning a device to a version of its own, and letting it go back to its group.
import { DEFAULT_MODEL, Device, PinDeviceRequest } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import { findDevice } from "../devices.ts";
import type { Hub } from "../hub.ts";
import { pinDevice, unpinDevice } from "../operations/pin.ts";
import { deviceView } from "../views.ts";

export function addPinRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const params = z.object({ id: z.string() });
  const shown = async (id: string) => deviceView(await hub.fleet(), hub.presence, await findDevice(hub.store, id));

  routes.put(
    "/api/v1/devices/:id/pin",
    { schema: { params, body: PinDeviceRequest, response: { 200: Device } } },
    async (request) => {
      const { id } = request.params;
      await pinDevice(hub, actorOf(request), id, { ...request.body, model: request.body.model ?? DEFAULT_MODEL });
      return shown(id);
    },
  );

  routes.delete("/api/v1/devices/:id/pin", { schema: { params, response: { 200: Device } } }, async (request) => {
    const { id } = request.params;
    await unpinDevice(hub, actorOf(request), id);
    return shown(id);
  });
}
