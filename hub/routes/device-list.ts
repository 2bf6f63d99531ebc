// The list of devices: filtered, sorted and paged from one snapshot of the fleet; only what is shown is made into views.
import { Device, listOf, ListQuery, SyncState } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { worstOf } from "../core/sync.ts";
import type { Fleet } from "../fleet.ts";
import type { Hub } from "../hub.ts";
import type { DeviceRecord } from "../store/records.ts";
import { deviceView } from "../views.ts";
import { sortedPage } from "./sorted-page.ts";

const SORTS = ["id", "group", "last_seen", "enrolled_at", "sync"] as const;
const Query = ListQuery.extend({
  group: z.string().max(128).optional(),
  sync: SyncState.optional(),
  online: z.enum(["true", "false"]).optional(),
  /** That any of its models runs now. */
  version: z.string().max(128).optional(),
  /** A part of its id, in any case. */
  q: z.string().max(128).optional(),
  sort: z.enum(SORTS).default("id"),
  order: z.enum(["asc", "desc"]).default("asc"),
});

export function addDeviceList(app: FastifyInstance, hub: Hub): void {
  const { presence } = hub;
  app
    .withTypeProvider<ZodTypeProvider>()
    .get(
      "/api/v1/devices",
      { schema: { querystring: Query, response: { 200: listOf(Device) } } },
      async ({ query }) => {
        const fleet = await hub.fleet();
        const syncOf = (device: DeviceRecord) => syncIn(fleet, device);
        const q = query.q?.toLowerCase();
        const wanted = fleet.devices.filter(
          (device) =>
            (query.group === undefined || device.group_name === query.group) &&
            (q === undefined || device.id.toLowerCase().includes(q)) &&
            (query.online === undefined || presence.isOnline(device.id) === (query.online === "true")) &&
            (query.version === undefined || runs(device, query.version)) &&
            (query.sync === undefined || syncOf(device) === query.sync),
        );
        const keys: Record<(typeof SORTS)[number], (device: DeviceRecord) => string> = {
          id: ({ id }) => id,
          group: ({ group_name }) => group_name,
          last_seen: ({ id }) => presence.lastSeen(id) ?? "",
          enrolled_at: ({ enrolled_at }) => enrolled_at,
          sync: syncOf,
        };
        const order = {
          name: `devices/${query.sort}/${query.order}`,
          keyOf: keys[query.sort],
          idOf: ({ id }: DeviceRecord) => id,
          descending: query.order === "desc",
        };
        const page = sortedPage(wanted, order, query);
        return { ...page, items: page.items.map((device) => deviceView(fleet, presence, device)) };
      },
    );
}

function syncIn(fleet: Fleet, device: DeviceRecord): SyncState {
  return worstOf(fleet.modelsOf(device).map((model) => fleet.standing(device, model).sync));
}

function runs({ observed }: DeviceRecord, version: string): boolean {
  return Object.values(observed?.models ?? {}).some(({ current }) => current?.version === version);
}
