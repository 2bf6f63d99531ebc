// Downloads from a real server that cuts, shortens, lengthens, redirects, compresses and lies about ranges.
import type { IncomingMessage, ServerResponse } from "node:http";
import { readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loopbackServer } from "../testing/loopback-server.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { download, type Download } from "./download.ts";
import { http } from "./http.ts";

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_unused, index) => index % 251));
type Handle = (request: IncomingMessage, response: ServerResponse) => void;

async function from(handle: Handle, more: Partial<Download> = {}) {
  const url = await loopbackServer(handle);
  const partPath = more.partPath ?? join(await tempDir(), "x.part");
  const request: Download = {
    client: http({}).client,
    url: `${url}/device/v1/artifacts/x`,
    credential: "secret",
    allowedOrigins: [],
    partPath,
    clean: false,
    sizeBytes: BYTES.length,
    progress: () => undefined,
    signal: new AbortController().signal,
    ...more,
  };
  const result = await download(request);
  return { code: result.ok ? "OK" : result.mishap.code, result, request, partPath };
}
const startOf = (request: IncomingMessage) => Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
const ranged: Handle = (request, response) => {
  const start = startOf(request);
  const rest = BYTES.subarray(start);
  const range = { "content-range": `bytes ${start}-${BYTES.length - 1}/${BYTES.length}` };
  response.writeHead(start > 0 ? 206 : 200, {
    etag: '"one"',
    "content-length": rest.length,
    ...(start > 0 ? range : {}),
  });
  response.end(rest);
};

test("a whole file arrives whole, with progress, and the credential goes to the hub only", async () => {
  const seen: number[] = [];
  const { code, partPath } = await from(ranged, { progress: (bytes) => seen.push(bytes) });
  expect(code).toBe("OK");
  expect(await readFile(partPath)).toEqual(BYTES);
  expect(seen.at(-1)).toBe(BYTES.length);
});

test("cut at every 64 kB, it is resumed from where it was, with the entity tag, until it is whole", async () => {
  const starts: [number, string | undefined][] = [];
  const cutting: Handle = (request, response) => {
    const start = startOf(request);
    starts.push([start, request.headers["if-range"]?.toString()]);
    const end = Math.min(BYTES.length, start + 65_536);
    const range = { "content-range": `bytes ${start}-${BYTES.length - 1}/${BYTES.length}` };
    response.writeHead(start > 0 ? 206 : 200, {
      etag: '"one"',
      "content-length": BYTES.length - start,
      ...(start > 0 ? range : {}),
    });
    response.write(BYTES.subarray(start, end), () => (end === BYTES.length ? response.end() : response.destroy()));
  };
  const partPath = join(await tempDir(), "x.part");
  const codes: string[] = [];
  while (codes.at(-1) !== "OK" && codes.length < 20) codes.push((await from(cutting, { partPath })).code);
  expect(codes.slice(0, -1).every((code) => code === "CONNECTION_LOST")).toBe(true);
  expect(await readFile(partPath)).toEqual(BYTES);
  expect(starts.length).toBeGreaterThan(3);
  expect(starts[1]).toEqual([65_536, '"one"']);
});

test("200 instead of 206 starts again at the first byte and appends nothing", async () => {
  const partPath = join(await tempDir(), "x.part");
  await writeFile(partPath, "leftover of another attempt");
  const { code } = await from(
    (_request, response) => response.writeHead(200, { "content-length": BYTES.length }).end(BYTES),
    { partPath },
  );
  expect(code).toBe("OK");
  expect(await readFile(partPath)).toEqual(BYTES);
});

test("a range that begins elsewhere than asked is not written where it does not belong", async () => {
  const partPath = join(await tempDir(), "x.part");
  await writeFile(partPath, BYTES.subarray(0, 1_000));
  const lying: Handle = (request, response) => {
    if (startOf(request) === 0) return ranged(request, response);
    response.writeHead(206, { "content-range": `bytes 5-${BYTES.length - 1}/${BYTES.length}` });
    response.end(BYTES.subarray(5));
  };
  expect((await from(lying, { partPath })).code).toBe("OK");
  expect(await readFile(partPath)).toEqual(BYTES);
});

const short = BYTES.subarray(0, 1_000);
test.each<[string, Handle, string, string]>([
  [
    "a file that is short and says so",
    (_q, r) => void r.writeHead(200, { "content-length": 1_000 }).end(short),
    "SIZE_MISMATCH",
    "permanent",
  ],
  [
    "a file that is short and ends in good order",
    (_q, r) => void r.writeHead(200).end(short),
    "SIZE_MISMATCH",
    "permanent",
  ],
  [
    "a file that is long and says so",
    (_q, r) => void r.writeHead(200, { "content-length": 400_000 }).end(Buffer.alloc(400_000)),
    "SIZE_MISMATCH",
    "permanent",
  ],
  [
    "a compressed answer",
    (_q, r) => void r.writeHead(200, { "content-encoding": "gzip" }).end(short),
    "ENCODING_REFUSED",
    "passing",
  ],
  [
    "a redirect to a stranger",
    (_q, r) => void r.writeHead(302, { location: "http://169.254.169.254/latest" }).end(),
    "REDIRECT_REFUSED",
    "passing",
  ],
  [
    "a redirect in a circle",
    (_q, r) => void r.writeHead(302, { location: "/again" }).end(),
    "REDIRECT_REFUSED",
    "passing",
  ],
  ["a missing file", (_q, r) => void r.writeHead(404).end(), "HTTP_404", "passing"],
  ["a connection cut at once", (q) => void q.socket.destroy(), "CONNECTION_LOST", "passing"],
])("%s is told by its code", async (_what, handle, code, kind) => {
  const { result } = await from(handle);
  expect(result).toMatchObject({ ok: false, mishap: { code, kind } });
});

test("an endless body is cut at the signed size", async () => {
  const endless: Handle = (_request, response) => {
    response.writeHead(200);
    const pour = () => {
      while (!response.destroyed && response.write(BYTES)) continue;
      response.once("drain", pour);
    };
    pour();
  };
  const { code, partPath } = await from(endless);
  expect(code).toBe("OK");
  expect((await stat(partPath)).size).toBe(BYTES.length);
});

test("416 of a server whose file is shorter than what we have is a size mismatch", async () => {
  const partPath = join(await tempDir(), "x.part");
  await writeFile(partPath, BYTES.subarray(0, 2_000));
  const { result } = await from((_q, r) => void r.writeHead(416, { "content-range": "bytes */1500" }).end(), {
    partPath,
  });
  expect(result).toMatchObject({
    mishap: { code: "SIZE_MISMATCH", evidence: { expected_bytes: BYTES.length, actual_bytes: 1_500 } },
  });
});

test("a link that all but stands still is given up", async () => {
  const dripping: Handle = (_request, response) => {
    response.writeHead(200, { "content-length": BYTES.length });
    const timer = setInterval(() => response.write("x"), 20);
    response.once("close", () => clearInterval(timer));
  };
  expect((await from(dripping, { rate: { minBytes: 1_000, windowMs: 100 } })).code).toBe("LINK_TOO_SLOW");
});

test("Retry-After is handed on, and a redirect to an allowed origin carries no credential", async () => {
  const busy = await from((_q, r) => void r.writeHead(429, { "retry-after": "7" }).end());
  expect(busy.result).toMatchObject({ mishap: { retryAfterMs: 7_000 } });
  let authorization: string | undefined = "unset";
  const store = await loopbackServer((request, response) => {
    authorization = request.headers.authorization;
    ranged(request, response);
  });
  const { code } = await from((_q, r) => void r.writeHead(302, { location: `${store}/bucket/x` }).end(), {
    allowedOrigins: [store],
  });
  expect(code).toBe("OK");
  expect(authorization).toBe(undefined);
});

test("a link planted in the partial file's place is replaced, not written through", async () => {
  const dir = await tempDir();
  await writeFile(join(dir, "victim"), "precious");
  await symlink(join(dir, "victim"), join(dir, "x.part"));
  expect((await from(ranged, { partPath: join(dir, "x.part") })).code).toBe("OK");
  expect(await readFile(join(dir, "victim"), "utf8")).toBe("precious");
});
