// Uploads to an object store in parts: the store itself remembers what has come, so that any hub can go on with it.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type MultipartUpload,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Digest } from "@context-edge/protocol";
import { ifListed, isMissing, isUploadGone } from "./s3-client.ts";

export interface Ingest {
  /** Bytes from its beginning that the store has, without a gap. */
  bytes(): number;
  /** False: it was silent for so long that another upload has gone on with its parts. */
  isOurs(): boolean;
  /** Each but the last of the size that the first one had. */
  add(bytes: Buffer): Promise<void>;
  /** It broke off: whoever comes next may go on from it. */
  rest(): void;
  discard(): Promise<void>;
  /** Puts the parts together. @returns the object that is there now; undefined when the upload is gone. */
  complete(): Promise<{ key: string; etag: string | undefined } | undefined>;
}

/** Of which nothing is missing any more. */
export type Whole = Pick<Ingest, "complete" | "rest" | "discard">;

export interface S3Uploads {
  longest(digest: Digest): Promise<number>;
  begin(digest: Digest): Promise<Ingest>;
  /** Undefined where nothing can be gone on with from just there. */
  resume(digest: Digest, start: number): Promise<Ingest | undefined>;
  /** One of which all parts have come, put together by now or not, though whoever sent it never heard of it. */
  finish(digest: Digest, totalBytes: number): Promise<Whole | undefined>;
  /** @returns how many nobody went on with since then, and are gone. */
  discardOlderThan(beforeMs: number): Promise<number>;
}

interface Found {
  key: string;
  uploadId: string;
  parts: Sized[];
  newestMs: number;
}
type Sized = CompletedPart & { sizeBytes: number };

const FOLDER = "uploads/";
/** One name for all uploads of a file: MinIO finds those that are under way by their whole name only. */
const keyOf = (digest: Digest) => `${FOLDER}${digest}/parts`;
/** Nothing else is ever aborted: the bucket may be other people's too. Beside our uploads: copies to a file's own name. */
const OURS = /^(uploads\/[0-9a-f]{64}\/parts|artifacts\/[0-9a-f]{64})$/;
/** A connection that brought nothing for so long hangs. */
const SILENT_MS = 10_000;

export function s3Uploads(client: S3Client, bucket: string, nowMs = () => performance.now()): S3Uploads {
  /** Being written by this process: by whom, and when something last came. */
  const live = new Map<string, { owner: symbol; heardMs: number }>();
  const isFree = (uploadId = "") => nowMs() - (live.get(uploadId)?.heardMs ?? -Infinity) >= SILENT_MS;

  async function* underWay(prefix: string): AsyncGenerator<MultipartUpload> {
    let after: Pick<MultipartUpload, "Key" | "UploadId"> | undefined;
    do {
      const from = { KeyMarker: after?.Key, UploadIdMarker: after?.UploadId };
      const listing = client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...from }));
      const page = await ifListed(listing);
      yield* page?.Uploads ?? [];
      after = page?.IsTruncated ? { Key: page.NextKeyMarker, UploadId: page.NextUploadIdMarker } : undefined;
    } while (after);
  }

  const look = async ({ Key = "", UploadId = "", Initiated }: MultipartUpload): Promise<Found> => {
    const found: Found = { key: Key, uploadId: UploadId, parts: [], newestMs: Initiated?.getTime() ?? 0 };
    let marker: string | undefined;
    do {
      const of = { Bucket: bucket, Key, UploadId, PartNumberMarker: marker };
      const page = await ifListed(client.send(new ListPartsCommand(of)));
      for (const { PartNumber, ETag, ChecksumCRC32, Size = 0, LastModified } of page?.Parts ?? []) {
        found.newestMs = Math.max(found.newestMs, LastModified?.getTime() ?? 0);
        // Parts are sent several at once: behind a gap they are of no use.
        const isNext = PartNumber === found.parts.length + 1;
        if (isNext) found.parts.push({ PartNumber, ETag, ChecksumCRC32, sizeBytes: Size });
      }
      marker = page?.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return found;
  };

  const free = async (digest: Digest): Promise<Found[]> => {
    const found: Found[] = [];
    for await (const upload of underWay(keyOf(digest)))
      if (upload.Key === keyOf(digest) && isFree(upload.UploadId)) found.push(await look(upload));
    return found.toSorted((a, b) => sum(b.parts) - sum(a.parts));
  };

  /** Parts that were put together, by a hub that did not come to look at them. */
  const assembled = async (digest: Digest) => {
    const head = client.send(new HeadObjectCommand({ Bucket: bucket, Key: keyOf(digest) }));
    return head.catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
  };

  const ingest = (digest: Digest, uploadId: string, parts: Sized[]): Ingest => {
    const owner = Symbol(uploadId);
    const key = keyOf(digest);
    const of = { Bucket: bucket, Key: key, UploadId: uploadId };
    let given = parts.length;
    const isOurs = () => live.get(uploadId)?.owner === owner;
    const heard = () => void live.set(uploadId, { owner, heardMs: nowMs() });
    const leave = () => void (isOurs() && live.delete(uploadId));
    heard();
    return {
      isOurs,
      bytes: () => {
        const gap = parts.findIndex((part) => part === undefined);
        return sum(gap === -1 ? parts : parts.slice(0, gap));
      },
      async add(bytes) {
        heard();
        const number = (given += 1);
        const command = new UploadPartCommand({ ...of, PartNumber: number, Body: bytes });
        const { ETag, ChecksumCRC32 } = await client.send(command);
        parts[number - 1] = { PartNumber: number, ETag, ChecksumCRC32, sizeBytes: bytes.length };
        if (isOurs()) heard();
      },
      rest: leave,
      async discard() {
        leave();
        await client.send(new AbortMultipartUploadCommand(of)).catch(() => undefined);
      },
      async complete() {
        // However long the store takes to put them together: nobody else begins with them meanwhile.
        live.set(uploadId, { owner, heardMs: Infinity });
        try {
          const Parts = parts.map(({ sizeBytes: _size, ...part }) => part);
          const done = await client.send(new CompleteMultipartUploadCommand({ ...of, MultipartUpload: { Parts } }));
          return { key, etag: done.ETag };
        } catch (error) {
          if (!isUploadGone(error)) throw error;
          // Done already, and the answer was lost on the way.
          const found = await assembled(digest);
          return found && { key, etag: found.ETag };
        } finally {
          leave();
        }
      },
    };
  };

  return {
    longest: async (digest) =>
      Math.max(sum((await free(digest))[0]?.parts ?? []), (await assembled(digest))?.ContentLength ?? 0),
    async begin(digest) {
      const Key = keyOf(digest);
      const { UploadId = "" } = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
      return ingest(digest, UploadId, []);
    },
    async resume(digest, start) {
      for (const { uploadId, parts } of await free(digest)) {
        let kept = 0;
        const count = parts.findIndex((part) => (kept += part.sizeBytes) >= start) + 1;
        // Somebody else may have taken it while its parts were listed.
        if (count > 0 && kept === start && isFree(uploadId)) return ingest(digest, uploadId, parts.slice(0, count));
      }
      return undefined;
    },
    async finish(digest, totalBytes) {
      const whole = await assembled(digest);
      const key = keyOf(digest);
      if (whole?.ContentLength === totalBytes)
        return {
          complete: async () => ({ key, etag: whole.ETag }),
          rest: () => undefined,
          discard: async () => undefined,
        };
      const found = (await free(digest)).find(({ parts }) => sum(parts) === totalBytes);
      return found && isFree(found.uploadId) ? ingest(digest, found.uploadId, found.parts) : undefined;
    },
    async discardOlderThan(beforeMs) {
      let count = 0;
      for (const prefix of [FOLDER, "artifacts/"]) {
        for await (const upload of underWay(prefix)) {
          if (!OURS.test(upload.Key ?? "") || !isFree(upload.UploadId)) continue;
          const { key: Key, uploadId: UploadId, newestMs } = await look(upload);
          if (newestMs >= beforeMs) continue;
          await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
          count += 1;
        }
      }
      return count;
    },
  };
}

const sum = (parts: readonly Sized[]) => parts.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
