// An artifact to a device: whole or from an offset, with an ETag that is the digest itself; from S3 by redirect.
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";

export async function sendArtifact(
  hub: Hub,
  digest: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const found = await hub.artifacts.locate(digest).catch((error: unknown) => {
    if (error instanceof ProblemError) throw error;
    hub.log.error({ err: error, digest }, "an artifact could not be located");
    throw new ProblemError("ARTIFACT_UNAVAILABLE", "The object store does not answer.", {
      nextStep: "Try again later.",
    });
  });
  if (!found) throw new ProblemError("ARTIFACT_MISSING", `There is no artifact ${digest}.`);
  if (found.at === "elsewhere") return reply.redirect(found.url, 307);

  const etag = `"${digest}"`;
  reply.header("etag", etag).header("accept-ranges", "bytes").type("application/octet-stream");
  const { sizeBytes } = found;
  const start = startOf(request, etag);
  if (start === undefined) return reply.header("content-length", sizeBytes).send(found.open());
  if (start >= sizeBytes) {
    return reply.code(416).header("content-range", `bytes */${sizeBytes}`).send(Readable.from([]));
  }
  return reply
    .code(206)
    .header("content-range", `bytes ${start}-${sizeBytes - 1}/${sizeBytes}`)
    .header("content-length", sizeBytes - start)
    .send(found.open({ start, end: sizeBytes - 1 }));
}

/** Only `bytes=N-` is honoured, which is all that resuming needs; any other range gets the whole, as RFC 9110 allows. */
function startOf(request: FastifyRequest, etag: string): number | undefined {
  const ifRange = request.headers["if-range"];
  if (ifRange !== undefined && ifRange !== etag) return undefined;
  const start = /^bytes=(\d{1,15})-$/.exec(request.headers.range ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}
