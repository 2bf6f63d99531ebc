// The file that a registration names: one that was uploaded, or one in a bucket that the hub may read.
import { Digest } from "@context-edge/protocol";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";

/** `artifact://<sha256>` or `s3://bucket/key`; nothing else is ever looked at, let alone fetched. */
export async function locateFile(hub: Hub, path: string): Promise<{ digest: string; sizeBytes: number }> {
  const artifact = /^artifact:\/\/(.+)$/.exec(path)?.[1];
  if (artifact !== undefined) {
    const digest = Digest.safeParse(artifact);
    if (!digest.success) throw refusedPath(path);
    const found = await hub.artifacts.stat(digest.data);
    if (found) return { digest: digest.data, sizeBytes: found.sizeBytes };
    throw neverUploaded(digest.data);
  }
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,62})\/(.+)$/.exec(path) ?? [];
  if (bucket === undefined || key === undefined || key.split("/").includes("..")) throw refusedPath(path);
  if (!hub.buckets) {
    throw new ProblemError("BUCKET_NOT_CONFIGURED", `This hub has no object store, so ${bucket} cannot be read.`, {
      nextStep: "Upload the file with PUT /mlops/artifacts/<sha256>, or configure S3_BUCKETS.",
    });
  }
  const adopted = await hub.buckets.adopt(bucket, key);
  if (adopted.ok) return adopted;
  const code = {
    "bucket-not-configured": "BUCKET_NOT_CONFIGURED",
    missing: "ARTIFACT_MISSING",
    unavailable: "ARTIFACT_UNAVAILABLE",
  } as const;
  throw new ProblemError(code[adopted.why], adopted.detail);
}

export function neverUploaded(digest: string): ProblemError {
  return new ProblemError("ARTIFACT_MISSING", `No file with digest ${digest} was uploaded.`, {
    nextStep: `Upload it first with PUT /mlops/artifacts/${digest}.`,
  });
}

function refusedPath(path: string): ProblemError {
  return new ProblemError(
    "MODEL_PATH_REFUSED",
    `model_path ${JSON.stringify(path.slice(0, 200))} is not something this hub reads.`,
    {
      nextStep: "Use artifact://<sha256> of an uploaded file, or s3://bucket/key in a configured bucket.",
    },
  );
}
