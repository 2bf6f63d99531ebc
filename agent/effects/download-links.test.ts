// Downloads over links that are cut, stalled, thinned out, swallowed, capped or answered by an overloaded hub.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ATTEMPT_BACKOFF, nextDelayMs, RETRY_AFTER_CAP_MS } from "../core/backoff.ts";
import { type Chaos, chaosProxy } from "../testing/chaos-proxy.ts";
import { BYTES, from, lineOf, ranged } from "../testing/download-from.ts";
import { loopbackServer } from "../testing/loopback-server.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { pace } from "./download-pace.ts";

async function over(chaos: Chaos) {
  const proxy = await chaosProxy(await loopbackServer(ranged), chaos);
  onTestFinished(() => proxy.close());
  return proxy;
}
/** Quick enough for a test; the time itself is not what is tested. */
const SHORT_FLOOR = { bytesPerS: 10_000, windowMs: 200 };

test("fault 24: over a link that resets every connection after 64 kB the file still becomes whole", async () => {
  const link = await over({ cutAfterBytes: 65_536 });
  const partPath = join(await tempDir(), "x.part");
  const results = [];
  for (let tries = 0; tries < 12 && results.at(-1)?.code !== "OK"; tries += 1) {
    results.push(await from(link.url, { partPath }));
  }
  expect(results.map(({ code }) => code)).toEqual([...results.slice(1).map(() => "CONNECTION_LOST"), "OK"]);
  // Each try gained something, so the device never counts it as one more failure in a row.
  for (const { result } of results.slice(0, -1)) expect(result).toMatchObject({ mishap: { progressed: true } });
  expect(await readFile(partPath)).toEqual(BYTES);
  expect(link.connections).toBeGreaterThan(4);
});

test("fault 29: a link of one byte a second is given up, and told as no progress", async () => {
  // The head of the answer comes whole, or its own deadline would be what ends it.
  const link = await over({ bytesPerS: 1, slowAfterBytes: 600 });
  const { result } = await from(link.url, { line: lineOf({ floor: SHORT_FLOOR }) });
  expect(result).toMatchObject({ mishap: { code: "LINK_TOO_SLOW", kind: "passing", progressed: false } });
});

test("fault 30: a link that goes dead in the middle is noticed although no byte comes, and the part stays", async () => {
  const link = await over({ stallAfterBytes: 100_000 });
  const { result, partPath } = await from(link.url, { line: lineOf({ floor: SHORT_FLOOR }) });
  expect(result).toMatchObject({ mishap: { code: "LINK_TOO_SLOW", progressed: true } });
  expect((await stat(partPath)).size).toBeGreaterThan(90_000);
  link.behave({});
  expect((await from(link.url, { partPath })).code).toBe("OK");
  expect(await readFile(partPath)).toEqual(BYTES);
});

test("fault 30: a black hole that accepts connections and never answers ends in a timeout", async () => {
  const link = await over({ swallow: true });
  const { result } = await from(link.url, { line: lineOf({ answerWithinMs: 150 }) });
  expect(result).toMatchObject({ mishap: { code: "TIMEOUT", kind: "passing" } });
});

test("a bit flipped on the way is not noticed by the download: the digest from the disk is for that", async () => {
  const link = await over({ corruptAtByte: 200_000 });
  const { code, partPath } = await from(link.url);
  expect(code).toBe("OK");
  expect(await readFile(partPath)).not.toEqual(BYTES);
});

test("fault 31: a name that no server knows is told as DNS, and passes", async () => {
  const { result } = await from("http://hub.invalid");
  expect(result).toMatchObject({ mishap: { code: "DNS_FAILED", kind: "passing" } });
});

test("a port where nothing listens is told as such", async () => {
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  expect((await from(`http://127.0.0.1:${port}`)).code).toBe("CONNECTION_REFUSED");
});

test.each([
  ["7", 7_000],
  ["86400", RETRY_AFTER_CAP_MS],
])("fault 32: 429 with Retry-After %s asks for %s ms, and no more than the cap", async (header, retryAfterMs) => {
  const { result } = await from((_request, response) => void response.writeHead(429, { "retry-after": header }).end());
  expect(result).toMatchObject({ mishap: { code: "HTTP_429", kind: "passing", retryAfterMs } });
});

test.each([500, 502, 503, 504])(
  "fault 33: a hub that answers %s is passing, and told by its status",
  async (status) => {
    const { result, partPath } = await from((_request, response) => void response.writeHead(status).end("<html>busy"));
    expect(result).toMatchObject({ mishap: { code: `HTTP_${status}`, kind: "passing" } });
    expect((await stat(partPath)).size).toBe(0);
  },
);

test("fault 33: two devices that fail together do not come back together, and wait longer each time", () => {
  const waits = (jitter: number) => [1, 2, 3, 4].map((failures) => nextDelayMs(failures, ATTEMPT_BACKOFF, jitter));
  const [early, late] = [waits(0.1), waits(0.9)];
  for (const [index, wait] of early.entries()) {
    expect(wait).toBeLessThan(late[index] ?? 0);
    expect(wait).toBeGreaterThan(early[index - 1] ?? 0);
  }
});

test("an error page that drips without end does not hold the device", async () => {
  const { result } = await from((_request, response) => {
    response.writeHead(503);
    const pour = () => {
      while (!response.destroyed && response.write("x".repeat(65_536))) continue;
      response.once("drain", pour);
    };
    pour();
  });
  expect(result).toMatchObject({ mishap: { code: "HTTP_503" } });
});

test("every byte of every download is accounted for on the one cap they share", async () => {
  let spent = 0;
  const line = lineOf({
    pace: {
      spend(bytes) {
        spent += bytes;
        return 3;
      },
    },
  });
  const both = await Promise.all([from(ranged, { line }), from(ranged, { line })]);
  expect(both.map(({ code }) => code)).toEqual(["OK", "OK"]);
  expect(spent).toBe(2 * BYTES.length);
});

test("a capped download lets the sender feel it instead of taking the file into memory", async () => {
  const big = Buffer.alloc(24 * 1024 * 1024, 1);
  const link = await chaosProxy(
    await loopbackServer(
      (_request, response) => void response.writeHead(200, { "content-length": big.length }).end(big),
    ),
  );
  onTestFinished(() => link.close());
  const stop = new AbortController();
  const line = lineOf({ pace: pace(1_000_000), queueBytes: 64 * 1024 });
  let fetched = 0;
  const running = from(link.url, {
    line,
    sizeBytes: big.length,
    signal: stop.signal,
    progress({ bytes }) {
      fetched = bytes;
      if (bytes > 300_000) stop.abort();
    },
  });
  await expect(running).rejects.toThrow(/abort/i);
  expect(fetched).toBeLessThan(2_000_000);
  // The kernel's buffers on both sides of the proxy hold a few megabytes; the rest never left the server.
  expect(link.passedBytes).toBeLessThan(big.length - 1_000_000);
});
