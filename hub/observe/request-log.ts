// A name for every request, and one log line for every request of people that may have changed something. Polls are not logged.
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { DEVICE_ROUTES } from "@context-edge/protocol";

const HEADER = "x-request-id";
const SANE = /^[A-Za-z0-9._:/-]{1,64}$/;
const READING = new Set(["GET", "HEAD", "OPTIONS"]);

/** For Fastify's `genReqId`: the caller's name for it when that is fit for a log, else our own, cheap enough for polls. */
export function requestIds(): (request: Pick<IncomingMessage, "headers">) => string {
  const start = randomBytes(6).toString("base64url");
  let count = 0;
  return ({ headers }) => {
    const given = headers[HEADER];
    return typeof given === "string" && SANE.test(given) ? given : `${start}-${(count += 1).toString(36)}`;
  };
}

export function logRequests(app: FastifyInstance, log: Pick<Logger, "info">): void {
  app.addHook("onRequest", async (request, reply) => {
    if (request.url !== DEVICE_ROUTES.manifest) reply.header(HEADER, request.id);
  });
  app.addHook("onResponse", async (request, reply) => {
    if (READING.has(request.method) || request.url.startsWith("/device/")) return;
    log.info(
      {
        id: request.id,
        actor: request.actor,
        method: request.method,
        // Without the query: whatever people put there stays out of the log.
        path: request.url.split("?", 1)[0]?.slice(0, 300),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      "request",
    );
  });
}
