// Registering releases: a statement that every device would refuse is refused, and what would surprise its signer is said.
import { createHash } from "node:crypto";
import { seal, STATEMENT_PAYLOAD_TYPE } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

async function register(version: string, numbers: { release: number; minimum_release?: number }, model = "default") {
  const bytes = Buffer.from(`model ${version}`);
  const digest = createHash("sha256").update(bytes).digest("hex");
  await hub.app.inject({
    method: "PUT",
    url: `/mlops/artifacts/${digest}`,
    headers: { "content-type": "application/octet-stream" },
    payload: bytes,
  });
  const variants = [{ digest, size_bytes: bytes.length, format: "onnx", platform: {} }];
  const statement = { schema: 1, model, version, created_at: "2026-01-01T00:00:00.000Z", variants, ...numbers };
  return hub.call("POST", "/mlops/models/register", {
    version_id: version,
    model,
    accuracy: 0.9,
    model_path: `artifact://${digest}`,
    training_samples: 1,
    training_date: "2026-01-01T00:00:00Z",
    statement: seal(STATEMENT_PAYLOAD_TYPE, statement, hub.releaseKey),
  });
}

test("a release number that rises is registered without a word, also with a minimum, also below that of another model", async () => {
  for (const answer of [
    await register("v1", { release: 1 }),
    await register("v2", { release: 2, minimum_release: 1 }),
    await register("v1", { release: 1 }, "vision"),
  ]) {
    expect(answer).toMatchObject({ status: 201, body: { warnings: [] } });
  }
});

test("a release number used twice is registered with a warning that names the other version", async () => {
  await register("v1", { release: 1 });
  const { status, body } = await register("v2", { release: 1 });
  expect(status).toBe(201);
  expect(body["warnings"]).toEqual([expect.stringMatching(/Release 1 was signed for v1 too/)]);
});

test("a release that devices will refuse because of an earlier minimum is registered with a warning", async () => {
  await register("v3", { release: 7, minimum_release: 6 });
  const { status, body } = await register("v2", { release: 5 });
  expect(status).toBe(201);
  expect(body["warnings"]).toEqual([expect.stringMatching(/v3 .* release 5.* nothing below 6/)]);
});

test("a statement that forbids itself is refused", async () => {
  expect(await register("v1", { release: 5, minimum_release: 6 })).toMatchObject({
    status: 422,
    body: { code: "STATEMENT_REFUSED", detail: expect.stringMatching(/every device would refuse/) },
  });
});
