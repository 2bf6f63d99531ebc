// An orderly end: nobody new is sent here, whoever waits is answered a few at a time, what is under way is finished; all within a bound.
import { setTimeout as pause } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Hub } from "./hub.ts";

/** Of the time after the notice: held polls are let go over a while, so that not all come to the next hub at once. */
const RELEASE_SHARE = 0.5;
const SLICES = 20;

export interface Ending {
  readonly signal: AbortSignal;
  begin(): void;
  /** @returns a function to call when this piece of work is done. */
  enter(): () => void;
  /** Requests that end by themselves; held polls and live pages are ended by the drain. */
  underWay(): number;
}

export function openEnding(): Ending {
  const controller = new AbortController();
  let count = 0;
  return {
    signal: controller.signal,
    begin: () => controller.abort(),
    enter() {
      count += 1;
      return () => (count -= 1);
    },
    underWay: () => count,
  };
}

export function followEnding(app: FastifyInstance, ending: Ending): void {
  app.addHook("onRequest", async (request, reply) => {
    if (ending.signal.aborted) {
      // Not held any more: the answer is at once, and the next request goes elsewhere.
      delete request.headers.prefer;
      reply.header("connection", "close");
    }
    if (request.headers.prefer !== undefined || request.url.startsWith("/api/v1/events")) return;
    reply.raw.once("close", ending.enter());
  });
}

export async function drain(hub: Hub): Promise<void> {
  const { shutdownMs, drainMs } = hub.config;
  const underWay = () => hub.ending.underWay();
  const endMs = performance.now() + shutdownMs;
  // From here on /readyz fails, live pages are told when to come back, no poll is held, and answers end their connections.
  hub.ending.begin();
  if (shutdownMs === 0) return;
  // Whoever was sent here meanwhile is served: a balancer looks at /readyz only now and then.
  await pause(drainMs);
  const ids = (await hub.fleet()).devices.map(({ id }) => id);
  const size = Math.ceil(ids.length / SLICES);
  for (let start = 0; start < ids.length && hub.presence.held() > 0; start += size) {
    for (const id of ids.slice(start, start + size)) hub.polls.release(id);
    await pause(((shutdownMs - drainMs) * RELEASE_SHARE) / SLICES);
  }
  while (performance.now() < endMs && hub.presence.held() + underWay() + hub.reports.waiting() > 0) await pause(20);
}
