// Devices as people see them: list, one, moving one to another group, and holding one as it is.
import { Device, GROUP_LABEL, listOf, ListQuery, OutcomeReport, PatchDeviceRequest } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import { findDevice, holdDevice, moveDevice } from "../devices.ts";
import { moveForbiddenBy } from "../core/cluster-groups.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { deviceView } from "../views.ts";
import { addDeviceList } from "./device-list.ts";
import { idCursor, writeCursor } from "./sorted-page.ts";

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
    { schema: { params, querystring: ListQuery, response: { 200: listOf(OutcomeReport) } } },
    async ({ params: { id }, query: { limit, cursor } }) => {
      await findDevice(store, id);
      const list = `outcomes/${id}`;
      const before = idCursor(cursor, list);
      const found = await store.outcomes.ofDevice(id, limit + 1, before === undefined ? undefined : Number(before));
      const items = found.slice(0, limit);
      return {
        items: items.map(({ report }) => report),
        next_cursor: found.length > limit ? writeCursor(list, [items.at(-1)?.id, ""]) : null,
      };
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
      if (body.group !== undefined) refuseWhereLabelsDecide(hub, id, body.group);
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

/** The label would move it back a moment later, and nobody would understand why. */
function refuseWhereLabelsDecide({ cluster, config }: Hub, id: string, group: string): void {
  const seen = cluster.labelOf(id);
  const label = seen.is === "read" ? seen.label : null;
  const named = moveForbiddenBy(cluster.decidedBy, label, group, config.pilotGroup);
  if (named === null) return;
  throw new ProblemError("GROUP_BY_LABEL", `The label of node ${id} puts ${id} into group ${named}.`, {
    nextStep: `Change the label: kubectl label node ${id} ${GROUP_LABEL}=${group} --overwrite`,
    context: { label: named },
  });
}
