// Fetching a version's file back: what training needs to measure the running version beside a new one.
import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

const fetchIt = (digest: string, headers = {}) => hub.app.inject({ url: `/mlops/artifacts/${digest}`, headers });

test("a registered version's file comes back byte for byte, and from where a download broke off", async () => {
  const { digest } = await hub.register("v1");
  const whole = await fetchIt(digest);
  expect(whole).toMatchObject({ statusCode: 200, body: "model v1", headers: { etag: `"${digest}"` } });
  const rest = await fetchIt(digest, { range: "bytes=6-", "if-range": `"${digest}"` });
  expect(rest).toMatchObject({ statusCode: 206, body: "v1", headers: { "content-range": "bytes 6-7/8" } });
});

test("a file that was uploaded but belongs to no version is not handed out, and HEAD still tells its uploader that it is there", async () => {
  const payload = Buffer.from("nobody's version");
  const digest = createHash("sha256").update(payload).digest("hex");
  const headers = { "content-type": "application/octet-stream" };
  await hub.app.inject({ method: "PUT", url: `/mlops/artifacts/${digest}`, headers, payload });
  const [there, nowhere] = [await fetchIt(digest), await fetchIt("0".repeat(64))];
  expect(there.statusCode).toBe(422);
  expect(there.json()).toMatchObject({ code: "ARTIFACT_MISSING" });
  const words = (body: string) => body.replaceAll(/[0-9a-f]{64}/g, "DIGEST");
  expect(words(there.body)).toBe(words(nowhere.body));
  const head = await hub.app.inject({ method: "HEAD", url: `/mlops/artifacts/${digest}` });
  expect(head).toMatchObject({ statusCode: 200, headers: { "upload-offset": String(payload.length) } });
});
