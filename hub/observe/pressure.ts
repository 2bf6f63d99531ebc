// Under pressure people and heavy work wait their turn or are asked to come back, so that devices go on being answered.
import { setTimeout as pause } from "node:timers/promises";
import underPressure from "@fastify/under-pressure";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { ProblemError } from "../problem-error.ts";
import type { Metrics } from "./metrics.ts";
import { takeTurns, type TurnLimits } from "./turns.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Ends this request's turn. */
    turn: (() => void) | null;
  }
}

/** Devices' polls and reports are small and must not be lost; whoever watches the hub must see that it suffers. */
const ALWAYS = /^\/(device\/v1\/(manifest|assignment|reports)|healthz|readyz|metrics)(\/?(\?|$))/;
const DEVICES = /^\/device\/v1\//;
/** They last, but mostly wait for the other side: they take a turn to begin and keep none. */
const LASTING = /^\/(api\/v1\/events|mlops\/artifacts\/)/;

/** The mean delay of the loop over a sample, so that one stall turns nobody away. Devices' files and enrolments are the last. */
const LATE_MS = { people: 300, devices: 1_000 };
const SAMPLE_MS = 1_000;
const LIMITS: TurnLimits = { atOnce: 32, mostWaiting: 500, patienceMs: 3_000 };
/** A refusal is not given at once: whoever asks again without a pause would have no less than the whole hub. */
const REFUSED_AFTER_MS = { least: 500, most: 1_500 };
/** Each costs memory: beyond so many, refusals are at once after all. */
const MOST_REFUSED_LATER = 10_000;
/** Whoever is turned away comes back somewhere between these. */
const RETRY_AFTER_SECONDS = { least: 2, most: 15 };
const TELL_EVERY_MS = 30_000;

export interface PressureOptions {
  /** How late the loop is, in tests. */
  lateMs?: () => number;
  limits?: TurnLimits;
  random?: () => number;
}

export async function shedLoad(
  app: FastifyInstance,
  { metrics, log }: { metrics: Pick<Metrics, "shed" | "waiting">; log: Pick<Logger, "warn"> },
  { lateMs, limits = LIMITS, random = Math.random }: PressureOptions = {},
): Promise<void> {
  // It measures, and that alone: it knows no queue, and tells all requests the same.
  await app.register(underPressure, { sampleInterval: SAMPLE_MS });
  const late = lateMs ?? (() => app.memoryUsage().eventLoopDelay);
  const turns = takeTurns(limits);
  metrics.waiting(() => turns.waiting());
  // Made once: the trace of where it was made would cost more than the rest of the answer.
  const overloaded = new ProblemError("OVERLOADED", "The hub has more to do than it can; devices come first.", {
    nextStep: "Try again after the time in Retry-After.",
  });
  let told = { atMs: -Infinity, since: 0 };
  let refusedLater = 0;

  const turnAway = async (request: FastifyRequest, reply: FastifyReply): Promise<never> => {
    metrics.shed();
    told.since += 1;
    if (performance.now() - told.atMs > TELL_EVERY_MS) {
      const facts = { turned_away: told.since, waiting: turns.waiting(), loop_late_ms: Math.round(late()) };
      log.warn({ ...facts, path: request.url.split("?", 1)[0]?.slice(0, 300) }, "requests are turned away");
      told = { atMs: performance.now(), since: 0 };
    }
    const { least, most } = RETRY_AFTER_SECONDS;
    reply.header("retry-after", least + Math.round((most - least) * random()));
    if (refusedLater < MOST_REFUSED_LATER) {
      refusedLater += 1;
      const wait = REFUSED_AFTER_MS;
      await pause(wait.least + (wait.most - wait.least) * random());
      refusedLater -= 1;
    }
    throw overloaded;
  };

  app.decorateRequest("turn", null);
  app.addHook("onRequest", async (request, reply) => {
    const { url } = request;
    if (ALWAYS.test(url)) return;
    const isDevices = DEVICES.test(url);
    if (late() > (isDevices ? LATE_MS.devices : LATE_MS.people)) return turnAway(request, reply);
    if (isDevices) return;
    const turn = await turns.take();
    if (!turn) return turnAway(request, reply);
    // Whoever hung up meanwhile gets no work done.
    if (LASTING.test(url) || reply.raw.destroyed) turn();
    if (reply.raw.destroyed) throw overloaded;
    request.turn = turn;
    // For what ends without an answer.
    reply.raw.once("close", turn);
  });
  // The work is done when the answer is made: a reader that takes it slowly keeps nobody waiting.
  app.addHook("onSend", async (request, _reply, payload) => {
    request.turn?.();
    return payload;
  });
}
