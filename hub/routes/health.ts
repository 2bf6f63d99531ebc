// Is the hub alive, can it serve, and how does it fare: for supervisors and for Prometheus.
import type { FastifyInstance } from "fastify";
import type { Hub } from "../hub.ts";
import { openGauges } from "../observe/gauges.ts";
import { readiness } from "../observe/readiness.ts";
import { ProblemError } from "../problem-error.ts";
import { HUB_VERSION } from "../version.ts";

export function addHealthRoutes(app: FastifyInstance, hub: Hub): void {
  const { registry } = hub.metrics;
  const look = readiness(hub);
  const takeGauges = openGauges(hub, look);

  app.get("/healthz", () => ({ status: "ok", version: HUB_VERSION }));

  app.get("/readyz", async () => {
    const checks = await look();
    const failed = Object.entries(checks).find(([, { ok }]) => !ok);
    if (!failed) return { status: "ready", checks };
    const [what, { detail }] = failed;
    throw new ProblemError("NOT_READY", `Not ready: ${what.replace("_", " ")}: ${detail}`, {
      nextStep: "Send requests to another hub, or look at this one's log.",
      context: { checks },
    });
  });

  app.get("/metrics", async (_request, reply) => {
    const texts = [await registry.metrics(), await takeGauges()];
    return reply.type(registry.contentType).send(texts.join("\n"));
  });
}
