// Versions of a model, for pages and automation.
import { listOf, ListQuery, Stage, Version } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import type { Hub } from "../hub.ts";
import { archiveVersion, unarchiveVersion } from "../operations/archive.ts";
import { unknownVersion } from "../deployable.ts";
import { versionView } from "../views.ts";
import { sortedPage } from "./sorted-page.ts";

const VersionsQuery = ListQuery.extend({
  stage: Stage.optional(),
  sort: z.enum(["registered_at", "version_id", "accuracy"]).default("registered_at"),
  order: z.enum(["asc", "desc"]).default("desc"),
});

const named = z.object({ model: z.string(), version: z.string() });

export function addVersionRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store } = hub;
  const one = async ({ model, version }: z.infer<typeof named>): Promise<Version> => {
    const record = await store.versions.find(model, version);
    if (!record) throw unknownVersion(model, version);
    return versionView(await hub.fleet(), record);
  };

  routes.get(
    "/api/v1/models/:model/versions",
    {
      schema: {
        params: z.object({ model: z.string() }),
        querystring: VersionsQuery,
        response: { 200: listOf(Version) },
      },
    },
    async ({ params, query }) => {
      const fleet = await hub.fleet();
      const all = await store.versions.list(params.model);
      const wanted = all.filter(({ stage }) => query.stage === undefined || stage === query.stage);
      const { sort, order } = query;
      const page = sortedPage(
        wanted,
        {
          name: `versions/${params.model}/${sort}/${order}`,
          keyOf: (version) => version[sort],
          idOf: ({ version_id }) => version_id,
          descending: order === "desc",
        },
        query,
      );
      return { ...page, items: page.items.map((record) => versionView(fleet, record)) };
    },
  );

  routes.get(
    "/api/v1/models/:model/versions/:version",
    { schema: { params: named, response: { 200: Version } } },
    async ({ params }) => {
      return one(params);
    },
  );

  const body = z.object({ reason: z.string().trim().max(1_000).default("") }).nullish();
  for (const [verb, act] of [
    ["archive", archiveVersion],
    ["unarchive", unarchiveVersion],
  ] as const) {
    routes.post(
      `/api/v1/models/:model/versions/:version/${verb}`,
      { schema: { params: named, body, response: { 200: Version } } },
      async (request) => {
        const { params } = request;
        await act(hub, actorOf(request), { ...params, reason: request.body?.reason ?? "" });
        return one(params);
      },
    );
  }
}
