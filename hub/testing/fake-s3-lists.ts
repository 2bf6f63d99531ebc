// What the fake object store answers to being asked for lists, as S3 writes them.
import type { Answer, FakeS3, PendingUpload } from "./fake-s3.ts";

/** As MinIO does it: only uploads whose key is the prefix itself. */
export function listUploads(uploads: FakeS3["uploads"], prefix: string): Answer {
  const found = [...uploads].filter(
    ([, { key }]) => key === prefix || (prefix.endsWith("/") && key.startsWith(prefix)),
  );
  const rows = found.map(
    ([id, { key, initiated }]) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${initiated.toISOString()}</Initiated></Upload>`,
  );
  return {
    xml: `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${rows.join("")}</ListMultipartUploadsResult>`,
  };
}

export function listParts({ parts }: PendingUpload, id: string): Answer {
  const rows = [...parts]
    .toSorted(([a], [b]) => a - b)
    .map(
      ([number, { bytes, etag, modified }]) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag><Size>${bytes.length}</Size><LastModified>${modified.toISOString()}</LastModified></Part>`,
    );
  return {
    xml: `<ListPartsResult><UploadId>${id}</UploadId><IsTruncated>false</IsTruncated>${rows.join("")}</ListPartsResult>`,
  };
}

export function listObjects(objects: FakeS3["objects"], prefix: string): Answer {
  const rows = [...objects]
    .filter(([key]) => key.startsWith(prefix))
    .map(
      ([key, { bytes, etag, modified }]) =>
        `<Contents><Key>${key}</Key><Size>${bytes.length}</Size><ETag>${etag}</ETag><LastModified>${modified.toISOString()}</LastModified></Contents>`,
    );
  return { xml: `<ListBucketResult><IsTruncated>false</IsTruncated>${rows.join("")}</ListBucketResult>` };
}
