// Places for artifacts, each opened empty for a test: a directory, and a bucket of a real S3 protocol server.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import S3rver from "s3rver";
import type { Artifacts, Buckets } from "../artifacts/artifacts.ts";
import { directoryArtifacts } from "../artifacts/directory.ts";
import { connectToS3 } from "../artifacts/s3-client.ts";
import { s3Artifacts } from "../artifacts/s3.ts";
import type { S3Limits } from "../artifacts/s3.ts";
import type { S3Config } from "../config.ts";
import { type FakeS3, startFakeS3 } from "./fake-s3.ts";

export const digestOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
export const MAX_BYTES = 1_000;

export interface Opened {
  artifacts: Artifacts;
  dir: string;
  buckets?: Buckets;
  /** Of a bucket only. */
  endpoint?: string;
  client?: S3Client;
  putObject?: (bucket: string, key: string, body: Buffer) => Promise<void>;
  close: () => Promise<void>;
}

export async function openDirectory(): Promise<Opened> {
  const dir = mkdtempSync(join(tmpdir(), "artifacts-"));
  return {
    artifacts: directoryArtifacts(dir, { maxBytes: MAX_BYTES }),
    dir,
    close: async () => rmSync(dir, { recursive: true }),
  };
}

export async function openS3(): Promise<Opened> {
  const directory = mkdtempSync(join(tmpdir(), "s3-"));
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory,
    configureBuckets: [
      { name: "models", configs: [] },
      { name: "elsewhere", configs: [] },
    ],
  });
  const address: AddressInfo = await server.run();
  const endpoint = `http://127.0.0.1:${address.port}`;
  const config: S3Config = {
    endpoint,
    region: "us-east-1",
    buckets: ["models"],
    // The test server's own, published pair.
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
    forcePathStyle: true,
    checksums: "when-required",
  };
  const client = connectToS3(config);
  const artifacts = s3Artifacts(client, config, { maxBytes: MAX_BYTES });
  return {
    artifacts,
    dir: directory,
    buckets: artifacts,
    endpoint,
    client,
    putObject: async (Bucket, Key, Body) => {
      await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    },
    close: async () => {
      client.destroy();
      await server.close();
      rmSync(directory, { recursive: true });
    },
  };
}

export interface OpenedFake extends Opened {
  fake: FakeS3;
  client: S3Client;
  /** Another hub on the same bucket. */
  other(limits?: Partial<S3Limits>, checksums?: S3Config["checksums"]): { artifacts: Artifacts; client: S3Client };
}

/** A store from before the SDKs sent checksums by themselves. */
export const openOlderS3 = () => openFakeS3({ maxBytes: MAX_BYTES }, { isOlder: true });

export async function openFakeS3(limits: S3Limits, how: { isOlder?: boolean } = {}): Promise<OpenedFake> {
  const fake = await startFakeS3(how);
  const clients: S3Client[] = [];
  const other: OpenedFake["other"] = (more = {}, checksums = "when-required") => {
    const config: S3Config = {
      endpoint: fake.endpoint,
      region: "us-east-1",
      buckets: ["models"],
      credentials: { accessKeyId: "key", secretAccessKey: "secret" },
      forcePathStyle: true,
      checksums,
    };
    const client = connectToS3(config);
    clients.push(client);
    return { artifacts: s3Artifacts(client, config, { ...limits, ...more }), client };
  };
  return {
    ...other(),
    other,
    fake,
    dir: "",
    async close() {
      for (const client of clients) client.destroy();
      await fake.close();
    },
  };
}

export async function fetchAll(artifacts: Artifacts, digest: string): Promise<Buffer | undefined> {
  const located = await artifacts.locate(digest);
  if (!located) return undefined;
  if (located.at === "elsewhere") return Buffer.from(await (await fetch(located.url)).arrayBuffer());
  return Buffer.concat(await located.open().toArray());
}
