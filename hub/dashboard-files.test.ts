// The dashboard's files: compressed where the browser takes that, kept for ever where the name says what is in them, and the page itself always asked for anew.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestHub, type TestHub } from "./testing/test-hub.ts";

const SCRIPT = "export const answer = 42;\n".repeat(100);
let dir: string;
let hub: TestHub;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "context-edge-pages-"));
  mkdirSync(join(dir, "assets"));
  writeFileSync(join(dir, "index.html"), "<!doctype html><title>here</title>");
  writeFileSync(join(dir, "assets", "main-abc.js"), SCRIPT);
  writeFileSync(join(dir, "assets", "main-abc.js.br"), brotliCompressSync(SCRIPT));
  hub = await openTestHub({ HUB_DASHBOARD_DIR: dir });
});
afterAll(async () => {
  await hub.close();
  rmSync(dir, { recursive: true, force: true });
});

const get = (url: string, headers: Record<string, string> = {}) => hub.app.inject({ url, headers });

test("a script comes compressed to whoever takes it, and plain to others, and need never be asked for again", async () => {
  const small = await get("/assets/main-abc.js", { "accept-encoding": "gzip, deflate, br" });
  expect(small.headers).toMatchObject({
    "content-encoding": "br",
    "content-type": expect.stringContaining("javascript"),
    "cache-control": expect.stringContaining("immutable"),
  });
  expect(brotliDecompressSync(small.rawPayload).toString()).toBe(SCRIPT);
  const plain = await get("/assets/main-abc.js");
  expect(plain.headers["content-encoding"]).toBeUndefined();
  expect(plain.body).toBe(SCRIPT);
  for (const { headers } of [small, plain]) expect(String(headers["vary"]).toLowerCase()).toContain("accept-encoding");
});

test("the page is asked for anew each time, at whatever address it is opened", async () => {
  for (const url of ["/", "/devices/edge-001"]) {
    const page = await get(url, { accept: "text/html" });
    expect(page.body).toContain("here");
    expect(page.headers["cache-control"]).not.toContain("immutable");
  }
});

test("what the build put beside a file has no address of its own", async () => {
  expect((await get("/assets/main-abc.js.br")).statusCode).toBe(404);
});
