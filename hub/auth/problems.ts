// Every error leaves the hub as a problem document with a stable code; what was unexpected is logged, not shown.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from "fastify-type-provider-zod";
import type { Logger } from "pino";
import { PROBLEM_MEDIA_TYPE, type ProblemCode } from "@context-edge/protocol";
import { comeBackSeconds } from "../come-back.ts";
import { ProblemError } from "../problem-error.ts";
import { type Outage, outageOf } from "../store/outage.ts";

const BY_FASTIFY_CODE: Record<string, { code: ProblemCode; detail: string; nextStep?: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: "BODY_TOO_LARGE",
    detail: "The body is larger than this route takes.",
    nextStep: "Send less at once; files go to PUT /mlops/artifacts/<sha256>.",
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: "MEDIA_TYPE",
    detail: "This route does not take that Content-Type.",
    nextStep: "Send application/json, or application/octet-stream where a file is expected.",
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: "BAD_REQUEST", detail: "The body is empty, but its Content-Type says JSON." },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: "BAD_REQUEST", detail: "The body is not valid JSON." },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: "BAD_REQUEST",
    detail: "The body has another length than Content-Length says.",
  },
};

const OUTAGE: Record<Outage, { detail: string; nextStep: string }> = {
  away: {
    detail: "The hub cannot reach or write its database right now.",
    nextStep: "Try again when Retry-After says; look first whether it was done after all.",
  },
  full: {
    detail: "The disk of the hub is full.",
    nextStep: "Free space where the hub keeps its data, then try again; nothing was changed.",
  },
};

export function answerProblems(
  app: FastifyInstance,
  log: Pick<Logger, "error">,
  count: (code: ProblemCode) => void,
): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = toProblemError(error);
    count(problem.code);
    if (problem.code === "INTERNAL")
      log.error({ err: error, id: request.id, method: request.method, url: request.url }, "a request failed");
    return send(reply, problem);
  });
}

export function notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return send(
    reply,
    new ProblemError("NOT_FOUND", `There is nothing at ${request.method} ${request.url.slice(0, 200)}.`, {
      nextStep: "The API is described at /api/docs.",
    }),
  );
}

/** Addresses that no route ever sees: wrongly encoded, or with a name that is longer than any. Hooks have not run for them. */
export function badAddress(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header("x-content-type-options", "nosniff").header("x-request-id", request.id);
  const isLong = error.code === "FST_ERR_MAX_PARAM_LENGTH";
  const detail = isLong
    ? "A name in this address is longer than any that there is (256 characters)."
    : "This address cannot be read: a % in it is not followed by two hexadecimal digits of UTF-8.";
  return send(reply, new ProblemError("BAD_REQUEST", detail));
}

function send(reply: FastifyReply, error: ProblemError): FastifyReply {
  const problem = error.toProblem();
  // For the log's line.
  reply.request.problemCode = problem.code;
  if (problem.status === 503 && !reply.hasHeader("retry-after")) reply.header("retry-after", String(comeBackSeconds()));
  const waitSeconds = problem.context?.["retry_after_seconds"];
  if (typeof waitSeconds === "number") reply.header("retry-after", String(waitSeconds));
  // Serialised here: a route's response schemas are for its answers, not for its refusals.
  return reply.code(problem.status).type(PROBLEM_MEDIA_TYPE).serializer(JSON.stringify).send(problem);
}

function toProblemError(error: FastifyError): ProblemError {
  if (error instanceof ProblemError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message }) => ({ path: instancePath || "/", message }));
    const first = errors[0];
    return new ProblemError("BAD_REQUEST", `The request is not as expected: ${first?.path} ${first?.message}`, {
      nextStep: "Compare it with /api/docs.",
      context: { errors },
    });
  }
  const known = BY_FASTIFY_CODE[error.code];
  if (known)
    return new ProblemError(known.code, known.detail, known.nextStep === undefined ? {} : { nextStep: known.nextStep });
  if (error instanceof SyntaxError && error.statusCode === 400)
    return new ProblemError("BAD_REQUEST", "The body is not valid JSON.");
  // The AWS SDK puts this on whatever it failed with, be it an answer or none.
  if ("$metadata" in error) {
    return new ProblemError("ARTIFACT_UNAVAILABLE", "The object store does not answer as it should.", {
      nextStep: "Try again later.",
    });
  }
  const outage = outageOf(error);
  if (outage)
    return new ProblemError("STORE_UNAVAILABLE", OUTAGE[outage].detail, { nextStep: OUTAGE[outage].nextStep });
  if (error.code === "22021") return new ProblemError("BAD_REQUEST", "The request holds text that is no UTF-8.");
  const isClientError =
    !isResponseSerializationError(error) &&
    error.statusCode !== undefined &&
    error.statusCode >= 400 &&
    error.statusCode < 500;
  if (isClientError) return new ProblemError("BAD_REQUEST", error.message);
  return new ProblemError("INTERNAL", "The hub could not answer this. It is in the hub's log.");
}
