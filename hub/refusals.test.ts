// Bad input: each gets a clear problem document with a stable code, and changes nothing.
import { createHash } from "node:crypto";
import { seal, signingKeyFromSeed, STATEMENT_PAYLOAD_TYPE } from "@context-edge/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestHub, type TestHub } from "./testing/test-hub.ts";

let testHub: TestHub;
beforeAll(async () => {
  testHub = await openTestHub();
  await testHub.register("v1");
  await testHub.register("v-unsigned", { signed: "nobody" });
  await testHub.register("v-bad");
  await testHub.call("POST", "/mlops/models/v-bad/reject", { reason: "it is bad" });
  await testHub.enroll("edge-001", "pilot");
});
afterAll(() => testHub.close());

const registration = {
  version_id: "v9",
  accuracy: 0.9,
  model_path: "artifact://" + "0".repeat(64),
  training_samples: 1,
  training_date: "2026-01-01T00:00:00Z",
};

describe("refused", () => {
  const rows: [string, "GET" | "POST" | "PUT" | "PATCH", string, object | undefined, number, string][] = [
    ["an unknown route", "GET", "/api/v1/nothing", undefined, 404, "NOT_FOUND"],
    ["an unknown version", "GET", "/api/v1/models/default/versions/v404", undefined, 404, "VERSION_UNKNOWN"],
    ["metrics of an unknown version", "GET", "/mlops/deployment/v404/metrics", undefined, 404, "VERSION_UNKNOWN"],
    ["approving an unknown version", "POST", "/mlops/models/v404/approve", {}, 404, "VERSION_UNKNOWN"],
    [
      "a pilot of an unknown version",
      "POST",
      "/mlops/models/v404/deploy-pilot",
      { pilot_device_ids: ["edge-001"] },
      404,
      "VERSION_UNKNOWN",
    ],
    [
      "a pilot with an unknown device",
      "POST",
      "/mlops/models/v1/deploy-pilot",
      { pilot_device_ids: ["edge-001", "ghost"] },
      404,
      "DEVICE_UNKNOWN",
    ],
    ["a pilot with no device", "POST", "/mlops/models/v1/deploy-pilot", { pilot_device_ids: [] }, 400, "BAD_REQUEST"],
    ["a target for an unknown group", "PUT", "/api/v1/groups/nowhere/target", { version: "v1" }, 404, "GROUP_UNKNOWN"],
    ["an unknown version as target", "PUT", "/api/v1/groups/pilot/target", { version: "v404" }, 404, "VERSION_UNKNOWN"],
    [
      "a rejected version as target",
      "PUT",
      "/api/v1/groups/pilot/target",
      { version: "v-bad" },
      409,
      "VERSION_NOT_DEPLOYABLE",
    ],
    [
      "an unsigned version as target",
      "PUT",
      "/api/v1/groups/pilot/target",
      { version: "v-unsigned" },
      409,
      "VERSION_NOT_DEPLOYABLE",
    ],
    ["an unknown device", "GET", "/api/v1/devices/ghost", undefined, 404, "DEVICE_UNKNOWN"],
    ["moving a device to a path", "PATCH", "/api/v1/devices/edge-001", { group: "../etc" }, 400, "BAD_REQUEST"],
    ["an unknown deployment", "POST", "/api/v1/deployments/dep-404/pause", {}, 404, "DEPLOYMENT_UNKNOWN"],
    ["all groups without a pilot", "POST", "/mlops/models/v1/deploy-all", {}, 409, "GATE_NOT_MET"],
    [
      "an override without a reason",
      "POST",
      "/mlops/models/v1/deploy-all",
      { override: { reason: "" } },
      400,
      "BAD_REQUEST",
    ],
    [
      "a rollback where nobody runs it",
      "POST",
      "/mlops/models/v1/rollback",
      { rollback_to_version: "v-unsigned" },
      409,
      "CONFLICT",
    ],
    ["a rejection without a reason", "POST", "/mlops/models/v1/reject", {}, 400, "BAD_REQUEST"],
    ["a registration with a missing field", "POST", "/mlops/models/register", { version_id: "v9" }, 400, "BAD_REQUEST"],
    ["an accuracy of 94", "POST", "/mlops/models/register", { ...registration, accuracy: 94 }, 400, "BAD_REQUEST"],
    [
      "a version named like a path",
      "POST",
      "/mlops/models/register",
      { ...registration, version_id: "../v9" },
      400,
      "BAD_REQUEST",
    ],
    ["an artifact nobody uploaded", "POST", "/mlops/models/register", registration, 422, "ARTIFACT_MISSING"],
    [
      "a bucket nobody configured",
      "POST",
      "/mlops/models/register",
      { ...registration, model_path: "s3://bucket/key" },
      422,
      "BUCKET_NOT_CONFIGURED",
    ],
    [
      "the cloud's metadata address",
      "POST",
      "/mlops/models/register",
      { ...registration, model_path: "http://169.254.169.254/latest" },
      422,
      "MODEL_PATH_REFUSED",
    ],
    [
      "a local file",
      "POST",
      "/mlops/models/register",
      { ...registration, model_path: "file:///etc/passwd" },
      422,
      "MODEL_PATH_REFUSED",
    ],
    [
      "a key that climbs",
      "POST",
      "/mlops/models/register",
      { ...registration, model_path: "s3://bucket/../other/key" },
      422,
      "MODEL_PATH_REFUSED",
    ],
    [
      "a digest that is none",
      "POST",
      "/mlops/models/register",
      { ...registration, model_path: "artifact://../../etc/passwd" },
      422,
      "MODEL_PATH_REFUSED",
    ],
    [
      "two models in one registration",
      "POST",
      "/mlops/models/register?model=other",
      { ...registration, model: "third" },
      400,
      "BAD_REQUEST",
    ],
    [
      "labels of an unknown device",
      "POST",
      "/mlops/deployment/v1/outcomes",
      {
        outcomes: [
          { device_id: "ghost", prediction_id: "p", predicted: "normal", actual: "normal", at: "2026-01-01T00:00:00Z" },
        ],
      },
      404,
      "DEVICE_UNKNOWN",
    ],
    [
      "a wrong join token",
      "POST",
      "/device/v1/enroll",
      { join_token: "wrong-token", device_id: "x", inventory: { agent_version: "1", arch: "x" } },
      403,
      "JOIN_TOKEN_REFUSED",
    ],
    ["a poll without a credential", "GET", "/device/v1/manifest", undefined, 401, "UNAUTHENTICATED"],
    ["a cursor from another list", "GET", "/api/v1/devices?cursor=ghost", undefined, 400, "BAD_REQUEST"],
    ["a page of no size", "GET", "/api/v1/devices?limit=0", undefined, 400, "BAD_REQUEST"],
  ];
  test.each(rows)("%s", async (_title, method, url, payload, status, code) => {
    const answer = await testHub.app.inject({ method, url, ...(payload ? { payload } : {}) });
    expect(answer.json()).toMatchObject({
      status,
      code,
      type: expect.stringContaining("urn:"),
      detail: expect.any(String),
    });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
  });

  test("a file whose sha256 differs, by name, and nothing is kept", async () => {
    const url = `/mlops/artifacts/${"1".repeat(64)}`;
    const answer = await testHub.app.inject({
      method: "PUT",
      url,
      headers: { "content-type": "application/octet-stream" },
      payload: "bytes",
    });
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({
      code: "DIGEST_MISMATCH",
      context: { actual: createHash("sha256").update("bytes").digest("hex") },
    });
    expect((await testHub.app.inject({ method: "HEAD", url })).statusCode).toBe(404);
  });

  test("a statement by a stranger, and one about other bytes", async () => {
    const stranger = signingKeyFromSeed(new Uint8Array(32).fill(9));
    const { sha256, size_bytes } = (await testHub.call("GET", "/api/v1/models/default/versions/v1")).body;
    const statement = (digest: unknown) => ({
      schema: 1,
      model: "default",
      version: "v9",
      release: 1,
      created_at: "2026-01-01T00:00:00.000Z",
      variants: [{ digest, size_bytes, format: "onnx", platform: {} }],
    });
    const send = (key: typeof stranger, digest: unknown) =>
      testHub.call("POST", "/mlops/models/register", {
        ...registration,
        model_path: `artifact://${String(sha256)}`,
        statement: seal(STATEMENT_PAYLOAD_TYPE, statement(digest), key),
      });
    expect((await send(stranger, sha256)).body).toMatchObject({ code: "STATEMENT_REFUSED", status: 422 });
    expect((await send(testHub.releaseKey, "2".repeat(64))).body).toMatchObject({
      code: "DIGEST_MISMATCH",
      status: 422,
    });
  });

  test("nothing of all this was registered or deployed", async () => {
    const versions = (await testHub.call("GET", "/api/v1/models/default/versions")).body["items"] as {
      version_id: string;
    }[];
    expect(versions.map(({ version_id }) => version_id).toSorted()).toEqual(["v-bad", "v-unsigned", "v1"]);
    expect((await testHub.call("GET", "/api/v1/deployments")).body["items"]).toEqual([]);
  });
});
