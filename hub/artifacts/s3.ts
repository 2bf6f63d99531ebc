// Artifacts in any S3 store: uploads go through the hub once, downloads go straight to the store by presigned URL.
import { createHash, randomUUID } from "node:crypto";
import { finished, Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Digest } from "@context-edge/protocol";
import type { S3Config } from "../config.ts";
import type { Adopted, Artifacts, Buckets } from "./artifacts.ts";
import { isBrokenBody } from "./broken-body.ts";

const PRESIGNED_SECONDS = 900;
const PART_BYTES = 8 * 2 ** 20;

const STAGING = "uploads/";
/** Nothing else is ever deleted: the bucket may hold what people keep there. */
const STAGED = /^uploads\/[0-9a-f]{64}\/[0-9a-f-]{36}$/;

/** A store that is slow must not hold requests for ever. */
const PATIENCE = { connectionTimeout: 3_000, socketTimeout: 10_000 };

export function connectToS3(config: S3Config, patience = PATIENCE): S3Client {
  return new S3Client({
    region: config.region,
    forcePathStyle: config.forcePathStyle,
    requestHandler: patience,
    maxAttempts: 3,
    // Older stores know nothing of the checksums that newer SDKs add by themselves.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    ...(config.credentials === undefined ? {} : { credentials: config.credentials }),
  });
}

/** Uploads land in the first configured bucket under `artifacts/<digest>`; adopted objects are copied there by the store itself. */
export function s3Artifacts(client: S3Client, config: S3Config, limits: { maxBytes: number }): Artifacts & Buckets {
  const [bucket = ""] = config.buckets;
  const keyOf = (digest: Digest) => `artifacts/${digest}`;
  const headOf = async (name: string, key: string) => {
    try {
      return await client.send(new HeadObjectCommand({ Bucket: name, Key: key }));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };

  return {
    async put(digest, body, part) {
      // A store takes whole objects only: a broken upload starts again.
      if (part && part.start > 0) return { ok: false, why: "wrong-offset", offset: 0 };
      // A name of its own: else of two uploads at once one would publish what the other sent.
      const staged = `${STAGING}${digest}/${randomUUID()}`;
      const meter = measure(limits.maxBytes);
      // `pipe` alone would wait for ever for the rest of a body that broke off.
      finished(body, { writable: false }, (error) => error && meter.stream.destroy(error));
      try {
        await new Upload({
          client,
          params: { Bucket: bucket, Key: staged, Body: body.pipe(meter.stream) },
          partSize: PART_BYTES,
        }).done();
      } catch (error) {
        if (meter.isTooLarge()) return { ok: false, why: "too-large", maxBytes: limits.maxBytes };
        if (isBrokenBody(error)) return { ok: false, why: "incomplete", offset: 0 };
        throw error;
      }
      const { digest: actual, sizeBytes } = meter.result();
      try {
        if (part && sizeBytes < part.totalBytes) return { ok: false, why: "incomplete", offset: 0 };
        if (actual !== digest) return { ok: false, why: "digest-mismatch", actual, sizeBytes };
        await client.send(
          new CopyObjectCommand({ Bucket: bucket, Key: keyOf(digest), CopySource: `${bucket}/${staged}` }),
        );
        return { ok: true, digest, sizeBytes };
      } finally {
        // What stays because the store fails now is deleted later.
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: staged })).catch(() => undefined);
      }
    },
    // Halves of multipart uploads are for the bucket's own lifecycle rules.
    async discardUploads(beforeMs) {
      let count = 0;
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: STAGING })) {
        for (const { Key = "", LastModified } of page.Contents ?? []) {
          if (!STAGED.test(Key) || !LastModified || LastModified.getTime() >= beforeMs) continue;
          await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
          count += 1;
        }
      }
      return count;
    },
    uploadedBytes: async () => 0,
    stat: async (digest) => {
      const found = await headOf(bucket, keyOf(digest));
      return found && { sizeBytes: found.ContentLength ?? 0 };
    },
    async head(digest, bytes) {
      const object = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key: keyOf(digest), Range: `bytes=0-${bytes - 1}` }),
      );
      return (await object.Body?.transformToByteArray()) ?? new Uint8Array();
    },
    // An object that cannot be there: a store that answers "no such object" is reached and lets us in.
    reach: async () => void (await headOf(bucket, keyOf("0".repeat(64)))),
    async locate(digest) {
      if (!(await headOf(bucket, keyOf(digest)))) return undefined;
      const command = new GetObjectCommand({ Bucket: bucket, Key: keyOf(digest) });
      return { at: "elsewhere", url: await getSignedUrl(client, command, { expiresIn: PRESIGNED_SECONDS }) };
    },
    async adopt(name, key): Promise<Adopted> {
      if (!config.buckets.includes(name)) {
        return { ok: false, why: "bucket-not-configured", detail: `Bucket ${name} is not among the configured ones.` };
      }
      try {
        const object = await client.send(new GetObjectCommand({ Bucket: name, Key: key }));
        const meter = measure(limits.maxBytes);
        // An answer that breaks off in the middle fails here, instead of never ending.
        await pipeline(object.Body as Readable, meter.stream.resume());
        const { digest, sizeBytes } = meter.result();
        // What was hashed is what is served: the copy is bound to the entity that was read.
        await client.send(
          new CopyObjectCommand({
            Bucket: bucket,
            Key: keyOf(digest),
            CopySource: encodeURI(`${name}/${key}`),
            ...(object.ETag === undefined ? {} : { CopySourceIfMatch: object.ETag }),
          }),
        );
        return { ok: true, digest, sizeBytes };
      } catch (error) {
        if (isMissing(error)) return { ok: false, why: "missing", detail: `There is no object s3://${name}/${key}.` };
        const detail = error instanceof Error ? error.message : String(error);
        return { ok: false, why: "unavailable", detail: `The object store did not answer: ${detail}` };
      }
    },
  };
}

function measure(maxBytes: number) {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      hash.update(chunk);
      if (sizeBytes > maxBytes) done(new Error("the body is larger than this hub takes"));
      else done(null, chunk);
    },
  });
  return { stream, isTooLarge: () => sizeBytes > maxBytes, result: () => ({ digest: hash.digest("hex"), sizeBytes }) };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && ["NotFound", "NoSuchKey"].includes(error.name);
}
