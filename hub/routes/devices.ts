// Devices as people see them: list, one, moving one to another group, and holding one as it is.
import { Device, listOf, ListQuery, OutcomeReport, PatchDeviceRequest } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import { findDevice, holdDevice, moveDevice } from "../devices.ts";
import { readFleet } from "../fleet.ts";
import type { Hub } from "../hub.ts";
import { deviceView } from "../views.ts";
import { pageOf } from "./listing.ts";

const HISTORY_LENGTH = 100;

export function addDevicesRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store, presence } = hub;
  const params = z.object({ id: z.string() });

  routes.get(
    "/api/v1/devices",
    { schema: { querystring: ListQuery.extend({ group: z.string().optional() }), response: { 200: listOf(Device) } } },
    async ({ query }) => {
      const fleet = await readFleet(store, presence);
      const wanted = fleet.devices.filter((device) => query.group === undefined || device.group_name === query.group);
      const page = pageOf(wanted, ({ id }) => id, query);
      return { ...page, items: page.items.map((device) => deviceView(fleet, presence, device)) };
    },
  );

  routes.get("/api/v1/devices/:id", { schema: { params, response: { 200: Device } } }, async ({ params: { id } }) => {
    const device = await findDevice(store, id);
    return deviceView(await readFleet(store, presence), presence, device);
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
    async ({ params: { id }, body }) => {
      await hub.changes.make(actorOf(hub.config), async (change) => {
        if (body.group !== undefined) await moveDevice(change, await findDevice(change.tx, id), body.group, null);
        if (body.hold !== undefined) await holdDevice(change, await findDevice(change.tx, id), body.hold);
      });
      if (body.group !== undefined) await hub.publisher.refresh([body.group]);
      hub.publisher.wakeDevice(id);
      hub.conductor.wake();
      const device = await findDevice(store, id);
      return deviceView(await readFleet(store, presence), presence, device);
    },
  );
}
