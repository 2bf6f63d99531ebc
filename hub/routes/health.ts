// Is the hub alive, can it serve, and how does it fare: for supervisors and for Prometheus.
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Hub } from "../hub.ts";
import { openGauges } from "../observe/gauges.ts";
import { readiness } from "../observe/readiness.ts";
import { ProblemError } from "../problem-error.ts";
import { HUB_VERSION } from "../version.ts";

const Check = z.object({ ok: z.boolean(), detail: z.string().nullable() });
const Ready = z.object({
  status: z.literal("ready"),
  checks: z.object({ database: Check, signing_key: Check, artifacts: Check, shutdown: Check }),
});
const Alive = z.object({ status: z.literal("ok"), version: z.string() });

export function addHealthRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { registry } = hub.metrics;
  const look = readiness(hub);
  const takeGauges = openGauges(hub, look);

  routes.get("/healthz", { schema: { response: { 200: Alive } } }, () => ({
    status: "ok" as const,
    version: HUB_VERSION,
  }));

  routes.get("/readyz", { schema: { response: { 200: Ready } } }, async () => {
    const checks = await look();
    const failed = Object.entries(checks).find(([, { ok }]) => !ok);
    if (!failed) return { status: "ready" as const, checks };
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
