// Fleet-wide quarantine: what is out and why, putting a version out by hand, and lifting it.
import { DEFAULT_MODEL, Digest, listOf, ListQuery, ModelName, Quarantine, VersionId } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import { unknownVersion } from "../deployable.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { liftQuarantine, quarantineDigest, quarantineView } from "../quarantine.ts";
import { type Order, sortedPage } from "./sorted-page.ts";

const NEWEST_FIRST: Order<Quarantine> = {
  name: "quarantines",
  keyOf: ({ at }) => at,
  idOf: ({ digest }) => digest,
  descending: true,
};
const Reason = z.object({ reason: z.string().trim().min(3).max(1_000) });

export function addQuarantineRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const afterwards = async () => {
    await hub.publisher.refresh();
    hub.conductor.wake();
  };

  routes.get(
    "/api/v1/quarantines",
    { schema: { querystring: ListQuery, response: { 200: listOf(Quarantine) } } },
    async ({ query }) => sortedPage((await hub.store.quarantines.list()).map(quarantineView), NEWEST_FIRST, query),
  );

  routes.post(
    "/api/v1/quarantines",
    {
      schema: {
        body: Reason.extend({ model: ModelName.default(DEFAULT_MODEL), version: VersionId }),
        response: { 201: z.object({ items: z.array(Quarantine) }) },
      },
    },
    async (request, reply) => {
      const { model, version, reason } = request.body;
      const record = await hub.store.versions.find(model, version);
      if (!record) throw unknownVersion(model, version);
      if (record.stage === "quarantined") throw new ProblemError("CONFLICT", `${version} is quarantined already.`);
      const fleet = await hub.fleet();
      const digests = record.variants.map(({ digest }) => digest);
      await hub.changes.make(actorOf(request), async (change) => {
        for (const digest of digests) await quarantineDigest(change, fleet, digest, reason, []);
      });
      await afterwards();
      const all = await hub.store.quarantines.list();
      return reply.code(201).send({ items: all.filter(({ digest }) => digests.includes(digest)).map(quarantineView) });
    },
  );

  routes.post(
    "/api/v1/quarantines/:digest/lift",
    { schema: { params: z.object({ digest: Digest }), body: Reason, response: { 200: Quarantine } } },
    async (request) => {
      const { digest } = request.params;
      await hub.changes.make(actorOf(request), (change) => liftQuarantine(change, digest, request.body.reason));
      await afterwards();
      const record = await hub.store.quarantines.find(digest);
      if (!record) throw new ProblemError("NOT_FOUND", "This digest is not quarantined.");
      return quarantineView(record);
    },
  );
}
