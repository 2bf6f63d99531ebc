// A name for every request, and one log line for every request of people that may have changed something. Polls are not logged.
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { DEVICE_ROUTES, type ProblemCode } from "@context-edge/protocol";

declare module "fastify" {
  interface FastifyRequest {
    /** Of the problem document that answered it. */
    problemCode: ProblemCode | null;
  }
}

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

export function logRequests(app: FastifyInstance, log: Pick<Logger, "info" | "warn">): void {
  app.decorateRequest("problemCode", null);
  app.addHook("onRequest", async (request, reply) => {
    if (request.url !== DEVICE_ROUTES.manifest) reply.header(HEADER, request.id);
  });
  const isTold = ({ method, url, problemCode }: FastifyRequest) =>
    // Those turned away come by the thousand: whoever turns them away tells, once in a while.
    !READING.has(method) && !url.startsWith("/device/") && problemCode !== "OVERLOADED";
  const factsOf = ({ id, actor, method, url }: FastifyRequest) => {
    // Without the query: whatever people put there stays out of the log.
    return { id, actor, method, path: url.split("?", 1)[0]?.slice(0, 300) };
  };
  app.addHook("onResponse", async (request, reply) => {
    if (!isTold(request)) return;
    const code = request.problemCode === null ? {} : { code: request.problemCode };
    const facts = { ...factsOf(request), status: reply.statusCode, ...code, ms: Math.round(reply.elapsedTime) };
    if (reply.statusCode >= 500) log.warn(facts, "request");
    else log.info(facts, "request");
  });
  // Nobody gets an answer, and no status tells what became of it. What came of an upload is kept.
  app.addHook("onRequestAbort", async (request) => {
    if (!isTold(request)) return;
    const length = Number(request.headers["content-length"]);
    const expected = Number.isNaN(length) ? {} : { expected_bytes: length };
    log.warn({ ...factsOf(request), ...expected }, "the request broke off");
  });
}
