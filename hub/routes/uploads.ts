// Model files under their own sha256: uploaded (streamed to disk, resumable, invisible until whole), and fetched again by training.
import type { Readable } from "node:stream";
import { Digest, UploadReply } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { PutResult } from "../artifacts/artifacts.ts";
import { requireNotCondemned } from "../file-use.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { sendArtifact } from "./send-artifact.ts";

export function addUploadRoutes(app: FastifyInstance, hub: Hub): void {
  // A scope of its own: here a body is a stream and not something to be parsed.
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("application/octet-stream", (_request, payload, done) => done(null, payload));
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    const params = z.object({ digest: Digest });

    routes.head("/mlops/artifacts/:digest", { schema: { params } }, async ({ params: { digest } }, reply) => {
      const whole = await hub.artifacts.stat(digest);
      const offset = whole?.sizeBytes ?? (await hub.artifacts.uploadedBytes(digest));
      return reply
        .code(whole ? 200 : 404)
        .header("upload-offset", String(offset))
        .send();
    });

    // A new version is measured beside the one that runs, on the same samples: whoever trains fetches that one's file.
    routes.get("/mlops/artifacts/:digest", { schema: { params } }, async (request, reply) => {
      const { digest } = request.params;
      const isRegistered = (await hub.store.versions.withDigest(digest)).length > 0;
      // What was uploaded and never registered is nobody's version, and is not handed out.
      if (isRegistered) return sendArtifact(hub, digest, request, reply);
      throw new ProblemError("ARTIFACT_MISSING", `No registered version has a file with digest ${digest}.`, {
        nextStep: "Take the digest of one of the variants in GET /api/v1/models/default/versions.",
      });
    });

    routes.put(
      "/mlops/artifacts/:digest",
      { bodyLimit: hub.config.maxArtifactBytes, schema: { params, response: { 200: UploadReply, 201: UploadReply } } },
      async (request, reply) => {
        const { digest } = request.params;
        // Before the look: what is noted now is not removed under the hands of whoever is told that it is there.
        await noteUpload(hub, digest);
        const present = await hub.artifacts.stat(digest);
        const body = request.body as Readable | undefined;
        if (present) {
          body?.resume();
          return { sha256: digest, size_bytes: present.sizeBytes, model_path: `artifact://${digest}` };
        }
        if (!body) {
          throw new ProblemError("MEDIA_TYPE", "There is no file in this request.", {
            nextStep: "Send the file as the body with Content-Type application/octet-stream.",
          });
        }
        const put = hub.artifacts.put(digest, body, parseRange(request.headers["content-range"]));
        const result = await put.catch((error: unknown) => {
          hub.writes.failed("artifacts", error);
          throw error;
        });
        if (!result.ok) throw refused(digest, result);
        await noteUpload(hub, digest);
        return reply
          .code(201)
          .send({ sha256: digest, size_bytes: result.sizeBytes, model_path: `artifact://${digest}` });
      },
    );
  });
}

async function noteUpload({ store, now }: Hub, digest: Digest): Promise<void> {
  await store.transaction(async (tx) => {
    await requireNotCondemned(tx, digest);
    await tx.files.noteUpload(digest, new Date(now()).toISOString());
  });
}

/** `Content-Range: bytes 100-199/200`, as RFC 9110 §14.4 writes it. */
function parseRange(header: string | undefined): { start: number; totalBytes: number } | undefined {
  if (header === undefined) return undefined;
  const [, start, total] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(header) ?? [];
  if (start !== undefined && total !== undefined) return { start: Number(start), totalBytes: Number(total) };
  throw new ProblemError("BAD_REQUEST", "Content-Range is not of the form `bytes first-last/total`.");
}

function refused(digest: string, result: Extract<PutResult, { ok: false }>): ProblemError {
  switch (result.why) {
    case "digest-mismatch":
      return new ProblemError(
        "DIGEST_MISMATCH",
        `The file has digest ${result.actual}, not ${digest}; nothing was kept.`,
        {
          nextStep: "Compute the sha256 of the file again and upload it under that.",
          context: { actual: result.actual, size_bytes: result.sizeBytes },
        },
      );
    case "too-large":
      return new ProblemError("BODY_TOO_LARGE", `The file is larger than the ${result.maxBytes} bytes this hub takes.`);
    case "incomplete":
      return new ProblemError("CONFLICT", `The upload broke off after ${result.offset} bytes, which are kept.`, {
        nextStep: `Go on with Content-Range: bytes ${result.offset}-…`,
        context: { offset: result.offset },
      });
    case "wrong-offset":
      return new ProblemError("CONFLICT", `This upload can go on at ${result.offset} only.`, {
        nextStep: `Send Content-Range: bytes ${result.offset}-…`,
        context: { offset: result.offset },
      });
  }
}
