// An error that is meant for the caller: thrown anywhere below a route, answered as a problem document.
import type { Problem, ProblemCode } from "@context-edge/protocol";

const STATUS: Record<ProblemCode, number> = {
  ARTIFACT_MISSING: 422,
  ARTIFACT_UNAVAILABLE: 503,
  BAD_REQUEST: 400,
  BODY_TOO_LARGE: 413,
  BUCKET_NOT_CONFIGURED: 422,
  CONFLICT: 409,
  DELIVERY_UNKNOWN: 404,
  DEPLOYMENT_CLOSED: 409,
  DEPLOYMENT_UNKNOWN: 404,
  DEVICE_REVOKED: 403,
  DEVICE_UNKNOWN: 404,
  DIGEST_MISMATCH: 422,
  EXPECTATION_FAILED: 417,
  FORBIDDEN: 403,
  GATE_NOT_MET: 409,
  GROUP_BY_LABEL: 409,
  GROUP_UNKNOWN: 404,
  HEADERS_TOO_LARGE: 431,
  IDEMPOTENCY_KEY_REUSED: 422,
  INTERNAL: 500,
  JOIN_TOKEN_REFUSED: 403,
  MEDIA_TYPE: 415,
  METHOD_NOT_ALLOWED: 405,
  MODEL_PATH_REFUSED: 422,
  NOT_FOUND: 404,
  NOT_READY: 503,
  NO_MANIFEST: 404,
  OVERLOADED: 503,
  PRECONDITION_FAILED: 412,
  QUARANTINED: 409,
  SESSION_UNKNOWN: 404,
  REQUEST_TIMEOUT: 408,
  SIGN_IN_REFUSED: 401,
  SIGN_IN_UNAVAILABLE: 503,
  SIZE_MISMATCH: 422,
  STATEMENT_REFUSED: 422,
  STORE_UNAVAILABLE: 503,
  TOKEN_UNKNOWN: 404,
  TOO_MANY_ATTEMPTS: 429,
  UNAUTHENTICATED: 401,
  USER_UNKNOWN: 404,
  VERSION_CONFLICT: 409,
  VERSION_IN_USE: 409,
  VERSION_NOT_DEPLOYABLE: 409,
  VERSION_UNKNOWN: 404,
  WEBHOOK_UNKNOWN: 404,
  WEBHOOK_URL_REFUSED: 422,
};

const TITLE: Partial<Record<ProblemCode, string>> = {
  GATE_NOT_MET: "The gate has not passed",
  INTERNAL: "Something went wrong inside the hub",
};

export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemCode;
  readonly nextStep: string | undefined;
  readonly context: Record<string, unknown> | undefined;

  constructor(code: ProblemCode, detail: string, more: { nextStep?: string; context?: Record<string, unknown> } = {}) {
    super(detail);
    this.code = code;
    this.nextStep = more.nextStep;
    this.context = more.context;
  }

  toProblem(): Problem {
    return {
      type: `urn:context-edge:problem:${this.code.toLowerCase().replaceAll("_", "-")}`,
      title: TITLE[this.code] ?? titleOf(this.code),
      status: STATUS[this.code],
      code: this.code,
      detail: this.message,
      ...(this.nextStep === undefined ? {} : { next_step: this.nextStep }),
      ...(this.context === undefined ? {} : { context: this.context }),
    };
  }
}

/** `VERSION_UNKNOWN` → `Version unknown`. */
function titleOf(code: string): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
