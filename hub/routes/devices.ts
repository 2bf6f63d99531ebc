// Devices as people see them: list, one, moving one to another group, and holding one as it is.
import { Device, OutcomeReport, PatchDeviceRequest } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import { findDevice, holdDevice, moveDevice } from "../devices.ts";
import type { Hub } from "../hub.ts";
import { deviceView } from "../views.ts";
import { addDeviceList } from "./device-list.ts";

const HISTORY_LENGTH = 100;

export function addDevicesRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store, presence } = hub;
  const params = z.object({ id: z.string() });

  addDeviceList(app, hub);

  routes.get("/api/v1/devices/:id", { schema: { params, response: { 200: Device } } }, async ({ params: { id } }) => {
    const device = await findDevice(store, id);
    return deviceView(await hub.fleet(), presence, device);
  });

  routes.get(
    "/api/v1/devices/:id/outcomes",
    { schema: { params, response: { 200: z.object({ items: z.array(OutcomeReport) }) } } },
    async ({ params: { id } }) => {
      await findDevice(store, id);
      const outcomes = await store.outcomes.ofDevice(id, HISTORY_LENGTH);
      return { items: outcomes.map(({ report }) => report) };
    },
  );

  routes.patch(
    "/api/v1/devices/:id",
    { schema: { params, body: PatchDeviceRequest, response: { 200: Device } } },
    async (request) => {
      const {
        params: { id },
        body,
      } = request;
      await hub.changes.make(actorOf(request), async (change) => {
        if (body.group !== undefined) await moveDevice(change, await findDevice(change.tx, id), body.group, null);
        if (body.hold !== undefined) await holdDevice(change, await findDevice(change.tx, id), body.hold);
      });
      if (body.group !== undefined) await hub.publisher.refresh([body.group]);
      hub.publisher.wakeDevice(id);
      hub.conductor.wake();
      const device = await findDevice(store, id);
      return deviceView(await hub.fleet(), presence, device);
    },
  );
}
