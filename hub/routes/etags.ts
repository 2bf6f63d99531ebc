// ETag on what people and scripts read: an answer that has not changed is not sent again.
import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { hasCurrent } from "../entity-tags.ts";

const READ = /^\/(api\/v1|mlops)\//;

export function tagReads(app: FastifyInstance): void {
  app.addHook("onSend", async (request, reply, payload) => {
    // A HEAD is answered like its GET, whose body Fastify takes away last.
    const isReading = request.method === "GET" || request.method === "HEAD";
    if (!isReading || reply.statusCode !== 200 || typeof payload !== "string") return payload;
    if (!READ.test(request.url) || reply.hasHeader("etag")) return payload;
    // Weak: the same meaning, whatever a proxy does to the bytes.
    const etag = `W/"${createHash("sha256").update(payload).digest("base64url").slice(0, 27)}"`;
    reply.header("etag", etag);
    // Answers differ by who asks, so nobody in between may keep them.
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "private, no-cache");
    if (!hasCurrent(request.headers["if-none-match"], etag)) return payload;
    reply.code(304).removeHeader("content-type").removeHeader("content-length");
    return "";
  });
}
