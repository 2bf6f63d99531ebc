// Answers of the hub's API that mean harm: a gzip bomb, an endless body, one that drips. None of them is waited for or kept.
import { stat } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { from } from "../testing/download-from.ts";
import { loopbackServer } from "../testing/loopback-server.ts";
import { http } from "./http.ts";

type Handle = Parameters<typeof loopbackServer>[0];

async function ask(handle: Handle, deadlineMs = 15_000) {
  const url = await loopbackServer(handle);
  const { signal } = new AbortController();
  return http({}).request({ method: "GET", url, deadlineMs, signal });
}

const MIB = 1024 * 1024;
/** 256 MiB of zeros in a quarter of a mebibyte. */
const BOMB = gzipSync(Buffer.alloc(256 * MIB));
const bomb: Handle = (_request, response) =>
  void response.writeHead(200, { "content-encoding": "gzip", "content-length": BOMB.length }).end(BOMB);

test("gzip bomb: an answer with a Content-Encoding is refused as it came, and never unpacked", async () => {
  expect(await ask(bomb)).toMatchObject({ ok: false, code: "ENCODING_REFUSED" });
});

test("gzip bomb: a file that comes with a Content-Encoding is refused before its first byte is written", async () => {
  const { result, partPath } = await from(bomb);
  expect((await stat(partPath)).size).toBe(0);
  expect(result).toMatchObject({ ok: false, mishap: { code: "ENCODING_REFUSED", kind: "passing" } });
});

/** What the process holds at most meanwhile, above what it held before. */
async function mostHeld(work: Promise<unknown>): Promise<number> {
  const held = () => process.memoryUsage().rss;
  const before = held();
  let most = 0;
  const look = setInterval(() => (most = Math.max(most, held() - before)), 2);
  await work.finally(() => clearInterval(look));
  return most;
}

test("endless body: an answer that never ends is cut at the longest that is expected", async () => {
  let sent = 0;
  let isCut = false;
  const asked = ask((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.once("close", () => (isCut = true));
    const pour = () => {
      while (!response.destroyed && response.write(Buffer.alloc(MIB, " "))) sent += MIB;
      response.once("drain", pour);
    };
    pour();
  });
  expect(await mostHeld(asked)).toBeLessThan(256 * MIB);
  expect(await asked).toMatchObject({ ok: false, code: "BODY_TOO_LARGE" });
  await expect.poll(() => isCut).toBe(true);
  expect(sent).toBeLessThan(64 * MIB);
});

test("endless body: an answer that drips for ever ends at the deadline", async () => {
  const asked = ask((_request, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write(" "), 20);
    response.once("close", () => clearInterval(drip));
  }, 300);
  expect(await asked).toMatchObject({ ok: false, code: "TIMEOUT" });
});
