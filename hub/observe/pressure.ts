// Under pressure people and heavy work are asked to come back, so that devices go on being answered.
import underPressure from "@fastify/under-pressure";
import type { FastifyInstance } from "fastify";
import { ProblemError } from "../problem-error.ts";
import type { Metrics } from "./metrics.ts";

/** Devices' polls and reports are small and must not be lost; whoever watches the hub must see that it suffers. */
const ALWAYS = [/^\/device\/v1\/(manifest|assignment|reports)/, /^\/(healthz|readyz|metrics)$/];

const MAX_LOOP_DELAY_MS = 1_000;
const SAMPLE_MS = 1_000;

export async function shedLoad(
  app: FastifyInstance,
  metrics: Pick<Metrics, "shed">,
  more: { isHigh?: () => boolean } = {},
): Promise<void> {
  const { isHigh = () => false } = more;
  await app.register(underPressure, {
    maxEventLoopDelay: MAX_LOOP_DELAY_MS,
    sampleInterval: SAMPLE_MS,
    pressureHandler: () => undefined,
  });
  app.addHook("onRequest", async (request) => {
    if (!isHigh() && !app.isUnderPressure()) return;
    if (ALWAYS.some((path) => path.test(request.url.split("?", 1)[0] ?? ""))) return;
    metrics.shed();
    throw new ProblemError("OVERLOADED", "The hub has more to do than it can; devices come first.", {
      nextStep: "Try again after the time in Retry-After.",
    });
  });
}
