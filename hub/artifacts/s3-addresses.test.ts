// The addresses that devices are sent to: signed for a while, good for any range, with the bucket where the settings want it.
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readConfig, type S3Config } from "../config.ts";
import { digestOf, openS3 } from "../testing/artifact-places.ts";
import { connectToS3 } from "./s3-client.ts";
import { s3Artifacts } from "./s3.ts";

const BYTES = Buffer.from("ftrt and what else an engine holds");
const DIGEST = digestOf(BYTES);

test("an S3 server gives the whole file for one, and the rest of it for a range", async () => {
  const { artifacts, close } = await openS3();
  await artifacts.put(DIGEST, Readable.from([BYTES]));
  const located = await artifacts.locate(DIGEST);
  const url = located?.at === "elsewhere" ? located.url : "";
  const first = await fetch(url);
  expect(Buffer.from(await first.arrayBuffer())).toEqual(BYTES);
  const etag = first.headers.get("etag") ?? "";
  const rest = await fetch(url, { headers: { range: "bytes=10-", "if-range": etag } });
  expect([rest.status, rest.headers.get("content-range")]).toEqual([
    206,
    `bytes 10-${BYTES.length - 1}/${BYTES.length}`,
  ]);
  expect(Buffer.from(await rest.arrayBuffer())).toEqual(BYTES.subarray(10));
  await close();
});

function configOf(env: Record<string, string>): S3Config {
  const keys = { S3_ACCESS_KEY_ID: "key", S3_SECRET_ACCESS_KEY: "secret" };
  const configured = readConfig({ S3_BUCKETS: "models", S3_ENDPOINT: "https://store.example", ...keys, ...env });
  if (!configured.ok || !configured.config.s3) throw new Error("there is no bucket");
  return configured.config.s3;
}

async function addressWith(env: Record<string, string>): Promise<URL> {
  const config = configOf(env);
  const client = connectToS3(config);
  // That the file is there is answered here.
  client.middlewareStack.add(
    (next, context) => (args) =>
      context["commandName"] === "HeadObjectCommand"
        ? Promise.resolve({ output: { $metadata: {}, ContentLength: 1 }, response: {} })
        : next(args),
    { step: "initialize" },
  );
  const located = await s3Artifacts(client, config, { maxBytes: 1_000 }).locate(DIGEST);
  client.destroy();
  return new URL(located?.at === "elsewhere" ? located.url : "");
}

test("the bucket is in the path, or in the host name where that is wanted", async () => {
  const inPath = await addressWith({});
  expect([inPath.host, inPath.pathname]).toEqual(["store.example", `/models/artifacts/${DIGEST}`]);
  const inHost = await addressWith({ S3_FORCE_PATH_STYLE: "false" });
  expect([inHost.host, inHost.pathname]).toEqual(["models.store.example", `/artifacts/${DIGEST}`]);
  expect(inPath.searchParams.get("X-Amz-Expires")).toBe("900");
});

test("an address asks for a checksum only where the store is said to know them", async () => {
  const asks = async (env: Record<string, string>) => [...(await addressWith(env)).searchParams.keys()].join();
  expect(await asks({})).not.toContain("checksum");
  expect(await asks({ HUB_S3_CHECKSUMS: "when-supported" })).toContain("checksum-mode");
  expect(readConfig({ HUB_S3_CHECKSUMS: "always" })).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/^HUB_S3_CHECKSUMS/),
  });
});
