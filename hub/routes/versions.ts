// Versions of a model, for pages and automation.
import { listOf, ListQuery, Version } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { readFleet } from "../fleet.ts";
import type { Hub } from "../hub.ts";
import { unknownVersion } from "../rollout.ts";
import { versionView } from "../views.ts";
import { pageOf } from "./listing.ts";

export function addVersionRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store, presence } = hub;

  routes.get(
    "/api/v1/models/:model/versions",
    { schema: { params: z.object({ model: z.string() }), querystring: ListQuery, response: { 200: listOf(Version) } } },
    async ({ params, query }) => {
      const fleet = await readFleet(store, presence);
      const page = pageOf(await store.versions.list(params.model), ({ version_id }) => version_id, query);
      return { ...page, items: page.items.map((record) => versionView(fleet, record)) };
    },
  );

  routes.get(
    "/api/v1/models/:model/versions/:version",
    { schema: { params: z.object({ model: z.string(), version: z.string() }), response: { 200: Version } } },
    async ({ params }) => {
      const record = await store.versions.find(params.model, params.version);
      if (!record) throw unknownVersion(params.model, params.version);
      return versionView(await readFleet(store, presence), record);
    },
  );
}
