// Idempotency-Key on POST: a request that is sent again, because its answer was lost, gets the first answer and does nothing twice.
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The key this request has claimed. */
    idempotency: Claim | null;
  }
}
interface Claim {
  actor: string;
  key: string;
  fingerprint: string;
  created_at: string;
}

const HEADER = "idempotency-key";
const KEEP_MS = 24 * 3_600_000;
/** No request takes longer; one that was claimed before this was cut off with its hub. */
const LONGEST_REQUEST_MS = 120_000;
const KEY = /^[\x21-\x7e]{1,255}$/;
/**
 * Signing in and first set-up have nobody yet whose key it could be; and where a password comes in, not even a fast hash
 * of the request may stay. An account is made once by its name anyway.
 */
const APART = /^\/api\/v1\/(session|setup|users)(\/|$)/;
/** Answers with a link or a token that works; others say so by `Cache-Control: no-store`. */
const SECRETS = /^\/api\/v1\/(users|tokens|join-tokens)(\/|\?|$)/;
const PEOPLES = /^\/(api\/v1|mlops)\//;

/** For the scope of people's routes. */
export function honourIdempotencyKeys(app: FastifyInstance, { store, now }: Pick<Hub, "store" | "now">): void {
  app.decorateRequest("idempotency", null);

  // After validation: a request that was not understood has claimed nothing.
  app.addHook("preHandler", async (request, reply) => {
    const claim = claimOf(request, new Date(now()).toISOString());
    if (!claim) return;
    const before = (ms: number) => new Date(now() - ms).toISOString();
    const limits = { expiredBefore: before(KEEP_MS), staleBefore: before(LONGEST_REQUEST_MS) };
    const known = await store.transaction((tx) => tx.idempotency.claim(claim, limits));
    if (!known) {
      request.idempotency = claim;
      return;
    }
    if (known.fingerprint !== claim.fingerprint) {
      throw new ProblemError("IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key stood for another request before.", {
        nextStep: "Use a new key for each request; the same key only to send the same request again.",
      });
    }
    if (known.status === null) {
      reply.header("retry-after", "1");
      throw new ProblemError("CONFLICT", "The first request with this Idempotency-Key is still under way.", {
        nextStep: "Ask again in a moment; you will get its answer.",
      });
    }
    if (known.body === null) {
      throw new ProblemError("CONFLICT", "This was done before; its answer held a secret, which is not kept.", {
        nextStep: "Look at the list of what there is, and make a new one under a new key if the secret is lost.",
        context: { status: known.status },
      });
    }
    reply.header("idempotent-replayed", "true").code(known.status);
    if (known.content_type !== null) reply.type(known.content_type);
    return reply.serializer((body: unknown) => String(body)).send(known.body);
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const claim = request.idempotency;
    if (!claim) return;
    request.idempotency = null;
    // What failed on our side may be tried again as if it had not been.
    if (reply.statusCode >= 500) return store.transaction((tx) => tx.idempotency.release(claim));
    const isSecret = SECRETS.test(request.url) || String(reply.getHeader("cache-control") ?? "").includes("no-store");
    const contentType = reply.getHeader("content-type");
    await store.transaction((tx) =>
      tx.idempotency.answer(claim, {
        status: reply.statusCode,
        content_type: contentType === undefined ? null : String(contentType),
        body: isSecret ? null : typeof payload === "string" ? payload : "",
      }),
    );
  });
}

/** Whether a key counts on this route. */
export function isRepeatable(method: string, pattern: string): boolean {
  return method === "POST" && PEOPLES.test(pattern) && !APART.test(pattern);
}

function claimOf(request: FastifyRequest, at: string): Claim | undefined {
  const key = request.headers[HEADER];
  const { pathname, search } = new URL(request.url, "http://hub");
  // The route's pattern, because the address may be written otherwise (/api/v1/%73ession).
  const pattern = request.routeOptions.url ?? pathname;
  if (key === undefined || !isRepeatable(request.method, pattern)) return undefined;
  if (typeof key !== "string" || !KEY.test(key))
    throw new ProblemError("BAD_REQUEST", "An Idempotency-Key has 1 to 255 printable characters without spaces.");
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([pathname, search, request.body ?? null]))
    .digest("hex");
  // Per actor: nobody gets another's answer by guessing a key.
  return { actor: request.actor ?? "", key, fingerprint, created_at: at };
}
