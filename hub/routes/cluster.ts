// The cluster as people see it: nodes, their agents and devices, and what is wrong.
import { ClusterView } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Hub } from "../hub.ts";

export function addClusterRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get("/api/v1/cluster", { schema: { response: { 200: ClusterView } } }, async () =>
    hub.cluster.view(await hub.fleet()),
  );
}
