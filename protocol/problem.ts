// Problem documents (RFC 9457) and their stable codes: scripts may rely on `code`, people read `detail` and `next_step`.
import { z } from "zod";

export const ProblemCode = z.enum([
  "ARTIFACT_MISSING",
  "ARTIFACT_UNAVAILABLE",
  "BAD_REQUEST",
  "BODY_TOO_LARGE",
  "BUCKET_NOT_CONFIGURED",
  "CONFLICT",
  "DELIVERY_UNKNOWN",
  "DEPLOYMENT_CLOSED",
  "DEPLOYMENT_UNKNOWN",
  "DEVICE_REVOKED",
  "DEVICE_UNKNOWN",
  "DIGEST_MISMATCH",
  "EXPECTATION_FAILED",
  "FORBIDDEN",
  "GATE_NOT_MET",
  "GROUP_BY_LABEL",
  "GROUP_UNKNOWN",
  "HEADERS_TOO_LARGE",
  "IDEMPOTENCY_KEY_REUSED",
  "INTERNAL",
  "JOIN_TOKEN_REFUSED",
  "MEDIA_TYPE",
  "METHOD_NOT_ALLOWED",
  "MODEL_PATH_REFUSED",
  "NOT_FOUND",
  "NOT_READY",
  "NO_MANIFEST",
  "OVERLOADED",
  "PRECONDITION_FAILED",
  "QUARANTINED",
  "SESSION_UNKNOWN",
  "REQUEST_TIMEOUT",
  "SIGN_IN_REFUSED",
  "SIGN_IN_UNAVAILABLE",
  "SIZE_MISMATCH",
  "STATEMENT_REFUSED",
  "STORE_UNAVAILABLE",
  "TOKEN_UNKNOWN",
  "TOO_MANY_ATTEMPTS",
  "UNAUTHENTICATED",
  "USER_UNKNOWN",
  "VERSION_CONFLICT",
  "VERSION_IN_USE",
  "VERSION_NOT_DEPLOYABLE",
  "VERSION_UNKNOWN",
  "WEBHOOK_UNKNOWN",
  "WEBHOOK_URL_REFUSED",
]);
export type ProblemCode = z.infer<typeof ProblemCode>;

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: ProblemCode,
  detail: z.string().optional(),
  /** What the reader can do about it. */
  next_step: z.string().optional(),
  /** Facts that belong to the code: `missing` for GATE_NOT_MET, `errors` for BAD_REQUEST, … */
  context: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof Problem>;
