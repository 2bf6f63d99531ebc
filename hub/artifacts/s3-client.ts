// How the hub speaks to an object store, so that AWS and stores that are years behind it understand the same words.
import { type ServiceOutputTypes, S3Client } from "@aws-sdk/client-s3";
import type { S3Config } from "../config.ts";

/** A store that is slow must not hold requests for ever. */
const PATIENCE = { connectionTimeout: 3_000, socketTimeout: 10_000 };

export function connectToS3(config: S3Config, patience = PATIENCE): S3Client {
  // Newer SDKs send CRC32 in headers and trailers by themselves, which stores from before 2025 refuse or store as part of the file.
  const checksums = config.checksums === "when-supported" ? "WHEN_SUPPORTED" : "WHEN_REQUIRED";
  return new S3Client({
    region: config.region,
    forcePathStyle: config.forcePathStyle,
    requestHandler: patience,
    maxAttempts: 3,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    ...(config.credentials === undefined ? {} : { credentials: config.credentials }),
  });
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : "");

export const isMissing = (error: unknown): boolean => ["NotFound", "NoSuchKey"].includes(nameOf(error));
/** It was completed, aborted or expired meanwhile. */
export const isUploadGone = (error: unknown): boolean => nameOf(error) === "NoSuchUpload";
/** Somebody else has written into the same upload, or has replaced what was to be copied. */
export const isOthers = (error: unknown): boolean =>
  ["InvalidPart", "InvalidPartOrder", "EntityTooSmall", "PreconditionFailed"].includes(nameOf(error));

/** Not every store can list uploads that are under way; then nothing of them can be gone on with. */
export async function ifListed<T extends ServiceOutputTypes>(listing: Promise<T>): Promise<T | undefined> {
  try {
    return await listing;
  } catch (error) {
    const isUnknown = ["NotImplemented", "MethodNotAllowed"].includes(nameOf(error));
    if (isUnknown || isUploadGone(error)) return undefined;
    throw error;
  }
}

/** What is wrong with the store, for a person: an answer to HEAD has no words of its own. */
export function wordsOf(error: unknown, bucket: string): string {
  if (!(error instanceof Error)) return `the bucket ${bucket} cannot be reached`;
  const { $metadata: about, code } = error as { $metadata?: { httpStatusCode?: number }; code?: unknown };
  const status = about?.httpStatusCode;
  if (status !== undefined) {
    const why = status === 403 ? ": the key may not read it" : status === 404 ? ": there is no such bucket" : "";
    return `the bucket ${bucket} answers with status ${status}${why}`;
  }
  return `the bucket ${bucket} cannot be reached: ${typeof code === "string" ? code : error.message}`;
}
