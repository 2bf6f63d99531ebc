// docs/object-storage.md asks for exactly the permissions that the hub's commands need.
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** https://docs.aws.amazon.com/AmazonS3/latest/API: what each needs, multipart ones included. */
const ACTIONS: Record<string, string[]> = {
  AbortMultipartUpload: ["s3:AbortMultipartUpload"],
  CompleteMultipartUpload: ["s3:PutObject"],
  CopyObject: ["s3:GetObject", "s3:PutObject"],
  CreateMultipartUpload: ["s3:PutObject"],
  DeleteObject: ["s3:DeleteObject"],
  GetObject: ["s3:GetObject"],
  HeadBucket: ["s3:ListBucket"],
  HeadObject: ["s3:GetObject"],
  ListMultipartUploads: ["s3:ListBucketMultipartUploads"],
  ListObjectsV2: ["s3:ListBucket"],
  ListParts: ["s3:ListMultipartUploadParts"],
  PutObject: ["s3:PutObject"],
  UploadPart: ["s3:PutObject"],
  UploadPartCopy: ["s3:GetObject", "s3:PutObject"],
};

test("the policy allows what the commands need and nothing else", async () => {
  const files = (await readdir(here("."))).filter((name) => /^s3.*(?<!\.test)\.ts$/.test(name));
  const texts = await Promise.all(files.map((name) => readFile(here(name), "utf8")));
  const commands = texts.flatMap((text) =>
    [...text.matchAll(/new (\w+)Command\(|\bpaginate(\w+)\(/g)].map(([, sent, paged]) => sent ?? paged ?? ""),
  );
  expect(new Set(commands)).toEqual(new Set(Object.keys(ACTIONS)));
  const page = await readFile(here("../../docs/object-storage.md"), "utf8");
  const policy = page.slice(page.indexOf("<!-- iam:"), page.indexOf("AbortIncompleteMultipartUpload"));
  const named = [...policy.matchAll(/"(s3:\w+)"/g)].map(([, action]) => action);
  expect(new Set(named)).toEqual(new Set(Object.values(ACTIONS).flat()));
});
