// Is the hub alive, can it serve, and how does it fare: for supervisors and for Prometheus.
import type { FastifyInstance } from "fastify";
import { Gauge, Registry } from "prom-client";
import type { Hub } from "../hub.ts";
import { readFleet } from "../fleet.ts";
import { ProblemError } from "../problem-error.ts";
import { HUB_VERSION } from "../version.ts";

export function addHealthRoutes(app: FastifyInstance, hub: Hub): void {
  const registry = new Registry();
  const bySync = new Gauge({
    name: "context_edge_devices",
    help: "Devices by sync state.",
    labelNames: ["sync"],
    registers: [registry],
  });
  const online = new Gauge({
    name: "context_edge_devices_online",
    help: "Devices heard of lately.",
    registers: [registry],
  });
  const open = new Gauge({
    name: "context_edge_deployments_open",
    help: "Deployments that may still change a target, by state.",
    labelNames: ["state"],
    registers: [registry],
  });

  app.get("/healthz", () => ({ status: "ok", version: HUB_VERSION }));

  app.get("/readyz", async () => {
    await hub.store.groups.list().catch(() => {
      throw new ProblemError("STORE_UNAVAILABLE", "The database does not answer.", {
        nextStep: "Look at the hub's log.",
      });
    });
    return { status: "ready" };
  });

  app.get("/metrics", async (_request, reply) => {
    const fleet = await readFleet(hub.store, hub.presence);
    bySync.reset();
    open.reset();
    for (const device of fleet.devices) {
      for (const model of fleet.modelsOf(device)) bySync.inc({ sync: fleet.standing(device, model).sync });
    }
    online.set(fleet.devices.filter(({ id }) => hub.presence.isOnline(id)).length);
    for (const { state } of await hub.store.deployments.open()) open.inc({ state });
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}
