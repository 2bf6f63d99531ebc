// The place for artifacts that the settings mean: a bucket where one is configured, else a directory of the hub's own.
import { join } from "node:path";
import type { HubConfig } from "../config.ts";
import type { Store } from "../store/store.ts";
import type { Artifacts, Buckets } from "./artifacts.ts";
import { directoryArtifacts } from "./directory.ts";
import { openPlace } from "./place.ts";
import { connectToS3 } from "./s3-client.ts";
import { s3Artifacts } from "./s3.ts";

export interface OpenedArtifacts {
  artifacts: Artifacts;
  /** Undefined where files are in a directory. */
  buckets: Buckets | undefined;
}

export async function openArtifacts(config: HubConfig, store: Store): Promise<OpenedArtifacts> {
  const limits = { maxBytes: config.maxArtifactBytes, rehash: config.rehashArtifacts };
  if (config.s3) {
    const s3 = s3Artifacts(connectToS3(config.s3), config.s3, limits);
    return { artifacts: s3, buckets: s3 };
  }
  const dir = join(config.dataDir, "artifacts");
  return { artifacts: directoryArtifacts(dir, limits, await openPlace(dir, store)), buckets: undefined };
}
