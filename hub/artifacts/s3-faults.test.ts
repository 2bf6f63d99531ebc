// A store that fails, refuses or does not answer: the hub says so in bounded time and keeps nothing half.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { S3Config } from "../config.ts";
import { openTestHub } from "../testing/test-hub.ts";
import { connectToS3 } from "./s3-client.ts";
import { s3Artifacts } from "./s3.ts";

const DIGEST = createHash("sha256").update("x").digest("hex");
let server: Server;
let endpoint: string;
let behave: (response: ServerResponse) => void;

beforeEach(async () => {
  server = createServer((request, response) => {
    request.resume();
    behave(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe("fault 62: a store that", () => {
  const rows: [string, number][] = [
    ["fails with 500", 500],
    ["refuses with 403", 403],
  ];
  test.each(rows)("%s is named in a 503, for upload, registration and readiness alike", async (_title, status) => {
    behave = (response) => response.writeHead(status).end();
    const hub = await openTestHub({
      S3_ENDPOINT: endpoint,
      S3_BUCKETS: "models",
      S3_ACCESS_KEY_ID: "k",
      S3_SECRET_ACCESS_KEY: "s",
    });
    const upload = await hub.app.inject({
      method: "PUT",
      url: `/mlops/artifacts/${DIGEST}`,
      headers: { "content-type": "application/octet-stream" },
      payload: "x",
    });
    expect(upload.json()).toMatchObject({ status: 503, code: "ARTIFACT_UNAVAILABLE" });
    expect(Number(upload.headers["retry-after"])).toBeGreaterThan(0);
    const registration = { version_id: "v1", accuracy: 0.9, training_samples: 1, training_date: "2026-01-01" };
    for (const model_path of [`artifact://${DIGEST}`, "s3://models/key"]) {
      const answer = await hub.call("POST", "/mlops/models/register", { ...registration, model_path });
      expect(answer.body).toMatchObject({ status: 503, code: "ARTIFACT_UNAVAILABLE" });
    }
    expect((await hub.call("GET", "/readyz")).body).toMatchObject({
      status: "degraded",
      checks: { artifacts: { ok: false, detail: expect.any(String) }, database: { ok: true } },
    });
    expect((await hub.call("GET", "/api/v1/models/default/versions")).body["items"]).toEqual([]);
    await hub.close();
  });

  test("does not answer at all is given up after a while", async () => {
    behave = () => undefined;
    const config: S3Config = {
      endpoint,
      region: "us-east-1",
      buckets: ["models"],
      credentials: { accessKeyId: "k", secretAccessKey: "s" },
      forcePathStyle: true,
      checksums: "when-required",
    };
    const client = connectToS3(config, { connectionTimeout: 200, socketTimeout: 200 });
    const artifacts = s3Artifacts(client, config, { maxBytes: 1_000 });
    const startedMs = performance.now();
    await expect(artifacts.stat(DIGEST)).rejects.toMatchObject({ $metadata: expect.any(Object) });
    await expect(artifacts.put(DIGEST, Readable.from([Buffer.from("x")]))).rejects.toMatchObject({
      $metadata: expect.any(Object),
    });
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    client.destroy();
  });
});
