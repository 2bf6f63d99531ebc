// Artifacts in any S3 store: uploads go through the hub once, downloads go straight to the store by presigned URL.
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Digest } from "@context-edge/protocol";
import type { S3Config } from "../config.ts";
import type { Adopted, Artifacts, Buckets, PutResult, Stored } from "./artifacts.ts";
import { isMissing, isOthers, isUploadGone, wordsOf } from "./s3-client.ts";
import { copyObject } from "./s3-copy.ts";
import { receive } from "./s3-ingest.ts";
import { type Ingest, s3Uploads, type Whole } from "./s3-uploads.ts";

const PRESIGNED_SECONDS = 900;
const PART_BYTES = 8 * 2 ** 20;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MOST_PARTS = 10_000;

const FOLDER = "artifacts/";
/** An object for each hub that keeps files in the bucket. */
const HUBS = `${FOLDER}hubs/`;
const FILE = /^artifacts\/([0-9a-f]{64})$/;
/** Whole, but not looked at yet, under names of this release and of earlier ones. Nothing else is ever deleted there: the bucket may hold what people keep. */
const STAGED = /^uploads\/[0-9a-f]{64}\/(parts|[0-9a-f-]{36})$/;

export interface S3Limits {
  maxBytes: number;
  /** For tests; 5 MiB are the least that stores take. */
  partBytes?: number;
  copyBytes?: number;
  nowMs?: () => number;
}

/** Files are in the first configured bucket under `artifacts/<digest>`; adopted objects are copied there by the store itself. */
export function s3Artifacts(client: S3Client, config: S3Config, limits: S3Limits): Artifacts & Buckets {
  const [bucket = ""] = config.buckets;
  const { maxBytes, partBytes = Math.max(PART_BYTES, Math.ceil(maxBytes / MOST_PARTS)) } = limits;
  const uploads = s3Uploads(client, bucket, limits.nowMs);
  const keyOf = (digest: Digest) => `${FOLDER}${digest}`;
  const headOf = async (key: string) => {
    try {
      return await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };
  const stat: Artifacts["stat"] = async (digest) => {
    const found = await headOf(keyOf(digest));
    return found && { sizeBytes: found.ContentLength ?? 0 };
  };
  const remove = async (Key: string) => void (await client.send(new DeleteObjectCommand({ Bucket: bucket, Key })));

  /** @throws what stores say when the object is not the one that was hashed any more. */
  const copyTo = (digest: Digest, from: { bucket: string; key: string; etag: string | undefined; sizeBytes: number }) =>
    copyObject(client, { from, to: { bucket, key: keyOf(digest) } }, limits.copyBytes);

  const hashObject = async (name: string, key: string, etag?: string) => {
    const bound = etag === undefined ? {} : { IfMatch: etag };
    const object = await client.send(new GetObjectCommand({ Bucket: name, Key: key, ...bound }));
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const chunk of object.Body as Readable) {
      sizeBytes += (chunk as Buffer).length;
      if (sizeBytes > maxBytes) throw new Error(`it is larger than the ${maxBytes} bytes this hub takes`);
      hash.update(chunk as Buffer);
    }
    return { etag: object.ETag, sizeBytes, digest: hash.digest("hex") };
  };

  /** Another upload of the same file was faster, and has cleared up. */
  const outrun = async (digest: Digest): Promise<PutResult> => {
    const there = await stat(digest);
    if (there) return { ok: true, digest, ...there };
    return { ok: false, why: "incomplete", offset: await uploads.longest(digest) };
  };

  const settle = async (digest: Digest, upload: Whole, work: () => Promise<PutResult>): Promise<PutResult> => {
    try {
      return await work();
    } catch (error) {
      if (!isOthers(error) && !isMissing(error) && !isUploadGone(error)) throw error;
      await upload.discard();
      return await outrun(digest);
    } finally {
      upload.rest();
    }
  };

  const publish = async (upload: Whole, claimed: Stored, actual: Digest | undefined): Promise<PutResult> => {
    const { digest, sizeBytes } = claimed;
    const whole = await upload.complete();
    if (!whole) return outrun(digest);
    try {
      // Of one that was gone on with nobody has seen all bytes: the store's own are hashed.
      const seen = actual ?? (await hashObject(bucket, whole.key, whole.etag)).digest;
      if (seen !== digest) return { ok: false, why: "digest-mismatch", actual: seen, sizeBytes };
      await copyTo(digest, { bucket, ...whole, sizeBytes });
      return { ok: true, digest, sizeBytes };
    } finally {
      // What stays because the store fails now is deleted later.
      await remove(whole.key).catch(() => undefined);
    }
  };

  return {
    async put(digest, body, part) {
      const start = part?.start ?? 0;
      const whole = part && start > 0 ? await uploads.finish(digest, part.totalBytes) : undefined;
      if (part && whole) {
        body.resume();
        return settle(digest, whole, () => publish(whole, { digest, sizeBytes: part.totalBytes }, undefined));
      }
      const resumed = start === 0 ? undefined : await uploads.resume(digest, start);
      if (start > 0 && !resumed) return { ok: false, why: "wrong-offset", offset: await uploads.longest(digest) };
      let ingest: Ingest | undefined = resumed;
      const begin = async () => (ingest = await uploads.begin(digest));
      const own: Whole = {
        complete: async () => ingest?.complete(),
        rest: () => ingest?.rest(),
        discard: async () => ingest?.discard(),
      };
      return settle(digest, own, async () => {
        const received = await receive(body, { start, maxBytes, partBytes, ingest, begin });
        if (received.is === "too-large") {
          await ingest?.discard();
          return { ok: false, why: "too-large", maxBytes };
        }
        const isShort = received.is === "whole" && part !== undefined && received.sizeBytes < part.totalBytes;
        if (received.is === "broken" || isShort)
          return { ok: false, why: "incomplete", offset: ingest?.isOurs() === true ? ingest.bytes() : 0 };
        const { sizeBytes, rest } = received;
        const actual = resumed ? undefined : received.digest;
        if (actual !== undefined && actual !== digest) {
          await ingest?.discard();
          return { ok: false, why: "digest-mismatch", actual, sizeBytes };
        }
        if (!ingest) {
          // Small enough to have been looked at before it is written: nobody sees anything else under this name.
          await client.send(new PutObjectCommand({ Bucket: bucket, Key: keyOf(digest), Body: rest }));
          return { ok: true, digest, sizeBytes };
        }
        if (rest.length > 0) await ingest.add(rest);
        return publish(ingest, { digest, sizeBytes }, actual);
      });
    },
    async discardUploads(beforeMs) {
      let count = await uploads.discardOlderThan(beforeMs);
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: "uploads/" })) {
        for (const { Key = "", LastModified } of page.Contents ?? []) {
          if (!STAGED.test(Key) || !LastModified || LastModified.getTime() >= beforeMs) continue;
          await remove(Key);
          count += 1;
        }
      }
      return count;
    },
    uploadedBytes: (digest) => uploads.longest(digest),
    stat,
    async *list() {
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: FOLDER })) {
        for (const { Key = "", Size = 0, LastModified } of page.Contents ?? []) {
          const digest = FILE.exec(Key)?.[1];
          if (digest !== undefined && LastModified)
            yield { digest, sizeBytes: Size, modifiedMs: LastModified.getTime() };
        }
      }
    },
    remove: (digest) => remove(keyOf(digest)),
    async sharedWith(hubId) {
      const own = `${HUBS}${hubId}`;
      const found: string[] = [];
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: HUBS }))
        found.push(...(page.Contents ?? []).map(({ Key = "" }) => Key));
      if (!found.includes(own))
        await client.send(
          new PutObjectCommand({ Bucket: bucket, Key: own, Body: "A hub keeps its files in this bucket.\n" }),
        );
      return found.filter((key) => key !== own);
    },
    async head(digest, bytes) {
      const object = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key: keyOf(digest), Range: `bytes=0-${bytes - 1}` }),
      );
      return (await object.Body?.transformToByteArray()) ?? new Uint8Array();
    },
    // Asking for an object would not do: one that is not there and a bucket that is not there are answered alike.
    reach: async () => {
      await client.send(new HeadBucketCommand({ Bucket: bucket })).catch((error: unknown) => {
        throw new Error(wordsOf(error, bucket), { cause: error });
      });
    },
    async locate(digest) {
      if (!(await headOf(keyOf(digest)))) return undefined;
      const command = new GetObjectCommand({ Bucket: bucket, Key: keyOf(digest) });
      return { at: "elsewhere", url: await getSignedUrl(client, command, { expiresIn: PRESIGNED_SECONDS }) };
    },
    async adopt(name, key): Promise<Adopted> {
      if (!config.buckets.includes(name)) {
        return { ok: false, why: "bucket-not-configured", detail: `Bucket ${name} is not among the configured ones.` };
      }
      try {
        const { digest, sizeBytes, etag } = await hashObject(name, key);
        await copyTo(digest, { bucket: name, key, etag, sizeBytes });
        return { ok: true, digest, sizeBytes };
      } catch (error) {
        if (isMissing(error)) return { ok: false, why: "missing", detail: `There is no object s3://${name}/${key}.` };
        const detail = error instanceof Error ? error.message : String(error);
        return { ok: false, why: "unavailable", detail: `The object store did not answer: ${detail}` };
      }
    },
  };
}
