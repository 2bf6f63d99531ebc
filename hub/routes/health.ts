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
  /** `degraded`: it does what it can without the object store. */
  status: z.enum(["ready", "degraded"]),
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
    // An object store is away for every hub alike: if they all stopped taking requests, devices could not even poll.
    const bears = (what: string) => what === "artifacts" && hub.buckets !== undefined;
    const failed = Object.entries(checks).filter(([, { ok }]) => !ok);
    const [worst] = failed.filter(([what]) => !bears(what));
    if (!worst) return { status: failed.length > 0 ? ("degraded" as const) : ("ready" as const), checks };
    const [what, { detail }] = worst;
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
