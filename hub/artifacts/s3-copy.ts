// A copy within the object store: in one go, or in pieces where the store would take longer than anybody waits, or refuses (above 5 GiB).
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";

export interface Copy {
  from: { bucket: string; key: string; etag: string | undefined; sizeBytes: number };
  to: { bucket: string; key: string };
}

/** Small enough to be done before the socket counts as silent. */
const PIECE_BYTES = 128 * 2 ** 20;
const AT_ONCE = 4;

/** What was hashed is what is copied: bound to the entity that was read. Nothing is visible before all of it is there. */
export async function copyObject(client: S3Client, { from, to }: Copy, pieceBytes = PIECE_BYTES): Promise<void> {
  const source = {
    CopySource: encodeURI(`${from.bucket}/${from.key}`),
    ...(from.etag === undefined ? {} : { CopySourceIfMatch: from.etag }),
  };
  const target = { Bucket: to.bucket, Key: to.key };
  if (from.sizeBytes <= pieceBytes) {
    await client.send(new CopyObjectCommand({ ...target, ...source }));
    return;
  }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
  try {
    const parts: CompletedPart[] = [];
    const count = Math.ceil(from.sizeBytes / pieceBytes);
    const copyPiece = async (index: number) => {
      const [start, end] = [index * pieceBytes, Math.min((index + 1) * pieceBytes, from.sizeBytes) - 1];
      const range = { CopySourceRange: `bytes=${start}-${end}`, PartNumber: index + 1, UploadId };
      const { CopyPartResult } = await client.send(new UploadPartCopyCommand({ ...target, ...source, ...range }));
      const { ETag, ChecksumCRC32 } = CopyPartResult ?? {};
      parts[index] = { PartNumber: index + 1, ETag, ChecksumCRC32 };
    };
    let next = 0;
    const work = async () => {
      while (next < count) await copyPiece(next++);
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, work));
    const complete = { ...target, UploadId, MultipartUpload: { Parts: parts } };
    await client.send(new CompleteMultipartUploadCommand(complete));
  } catch (error) {
    // What cannot be aborted now is found by the janitor.
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined);
    throw error;
  }
}
