// Downloads from a real server that cuts, shortens, lengthens, redirects, compresses and lies about ranges.
import { readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BYTES, type Handle, from, ranged, startOf } from "../testing/download-from.ts";
import { tempDir } from "../testing/temp-dir.ts";

test("a whole file arrives whole, with progress, and the credential goes to the hub", async () => {
  const seen: { bytes: number; leftS: number | null }[] = [];
  let authorization: string | undefined;
  const { code, partPath } = await from(
    (request, response) => {
      ({ authorization } = request.headers);
      ranged(request, response);
    },
    { progress: (transfer) => seen.push(transfer) },
  );
  expect(code).toBe("OK");
  expect(await readFile(partPath)).toEqual(BYTES);
  expect(seen[0]).toMatchObject({ bytes: 0, leftS: null });
  expect(seen.at(-1)).toMatchObject({ bytes: BYTES.length, leftS: 0 });
  expect(authorization).toBe("Bearer secret");
});

test("fault 24: cut at every 64 kB, it is resumed from where it was, with the entity tag, until it is whole", async () => {
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

test("fault 25: an answer of 200 instead of 206 starts the file anew and appends nothing", async () => {
  const partPath = join(await tempDir(), "x.part");
  await writeFile(partPath, "leftover of another attempt");
  const { code } = await from(
    (_request, response) => response.writeHead(200, { "content-length": BYTES.length }).end(BYTES),
    { partPath },
  );
  expect(code).toBe("OK");
  expect(await readFile(partPath)).toEqual(BYTES);
});

test("fault 25: a 200 that is cut leaves nothing of the old file behind its own beginning", async () => {
  const partPath = join(await tempDir(), "x.part");
  await writeFile(partPath, Buffer.alloc(150_000, "o"));
  const cut: Handle = (_request, response) => {
    response.writeHead(200, { "content-length": BYTES.length, etag: '"one"' });
    response.write(BYTES.subarray(0, 1_000), () => response.destroy());
  };
  expect((await from(cut, { partPath })).code).toBe("CONNECTION_LOST");
  expect((await stat(partPath)).size).toBe(1_000);
  expect((await from(ranged, { partPath })).code).toBe("OK");
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

test("a server that never gives the range it was asked for is given up after a few tries", async () => {
  const partPath = join(await tempDir(), "x.part");
  let asked = 0;
  const stubborn: Handle = (_request, response) => {
    asked += 1;
    response.writeHead(206, { "content-range": `bytes 7-${BYTES.length - 1}/${BYTES.length}` }).end(BYTES.subarray(7));
  };
  expect((await from(stubborn, { partPath })).code).toBe("RANGE_UNUSABLE");
  expect(asked).toBe(3);
});

/** The first half of another file, as a download that was cut left it. */
async function halfOfAnother(): Promise<string> {
  const partPath = join(await tempDir(), "x.part");
  await writeFile(partPath, Buffer.alloc(150_000, "o"));
  await writeFile(`${partPath}.etag`, '"another"');
  return partPath;
}

test("fault 26: when the entity tag changed, the server sends the whole file and the old beginning is gone", async () => {
  const partPath = await halfOfAnother();
  const heeding: Handle = (request, response) => {
    if (request.headers["if-range"] === '"one"') return ranged(request, response);
    response.writeHead(200, { etag: '"one"', "content-length": BYTES.length }).end(BYTES);
  };
  expect((await from(heeding, { partPath })).code).toBe("OK");
  expect(await readFile(partPath)).toEqual(BYTES);
});

test("fault 26: a server that resumes although its entity tag changed is asked for the whole file", async () => {
  const partPath = await halfOfAnother();
  const ranges: (string | undefined)[] = [];
  const { code } = await from(
    (request, response) => {
      ranges.push(request.headers.range);
      ranged(request, response);
    },
    { partPath },
  );
  expect(code).toBe("OK");
  expect(ranges).toEqual(["bytes=150000-", undefined]);
  expect(await readFile(partPath)).toEqual(BYTES);
});

test("a weak entity tag is never sent back with If-Range", async () => {
  const partPath = join(await tempDir(), "x.part");
  const tags: (string | undefined)[] = [];
  const weak: Handle = (request, response) => {
    tags.push(request.headers["if-range"]?.toString());
    const start = startOf(request);
    const range = { "content-range": `bytes ${start}-${BYTES.length - 1}/${BYTES.length}` };
    response.writeHead(start > 0 ? 206 : 200, { etag: 'W/"one"', ...(start > 0 ? range : {}) });
    if (start > 0) response.end(BYTES.subarray(start));
    else response.write(BYTES.subarray(0, 1_000), () => response.destroy());
  };
  expect((await from(weak, { partPath })).code).toBe("CONNECTION_LOST");
  expect((await from(weak, { partPath })).code).toBe("OK");
  expect(tags).toEqual([undefined, undefined]);
});

const short = BYTES.subarray(0, 1_000);
test.each<[string, Handle, string, string]>([
  [
    "fault 27: a file that is short and says so",
    (_q, r) => void r.writeHead(200, { "content-length": 1_000 }).end(short),
    "SIZE_MISMATCH",
    "permanent",
  ],
  [
    "fault 27: a file that is short and ends in good order",
    (_q, r) => void r.writeHead(200, { "transfer-encoding": "chunked" }).end(short),
    "SIZE_MISMATCH",
    "permanent",
  ],
  [
    "fault 28: a file that is long and says so",
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
  ["a missing file", (_q, r) => void r.writeHead(404).end(), "HTTP_404", "passing"],
  ["a connection cut at once", (q) => void q.socket.destroy(), "CONNECTION_LOST", "passing"],
  [
    "an answer that is no HTTP",
    (q) => void q.socket.end("SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "CONNECTION_FAILED",
    "passing",
  ],
])("%s is told by its code", async (_what, handle, code, kind) => {
  const { result } = await from(handle);
  expect(result).toMatchObject({ ok: false, mishap: { code, kind } });
});

test("fault 28: an endless body is cut at the signed size", async () => {
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

test("a link planted in the partial file's place is replaced, not written through", async () => {
  const dir = await tempDir();
  await writeFile(join(dir, "victim"), "precious");
  await symlink(join(dir, "victim"), join(dir, "x.part"));
  expect((await from(ranged, { partPath: join(dir, "x.part") })).code).toBe("OK");
  expect(await readFile(join(dir, "victim"), "utf8")).toBe("precious");
});

test("an aborted download throws, and what was fetched stays for the next time", async () => {
  const stop = new AbortController();
  const partPath = join(await tempDir(), "x.part");
  const holding: Handle = (_request, response) => {
    response.writeHead(200, { "content-length": BYTES.length, etag: '"one"' });
    response.write(BYTES.subarray(0, 100_000));
  };
  const running = from(holding, {
    partPath,
    signal: stop.signal,
    progress: ({ bytes }) => (bytes === 100_000 ? stop.abort() : undefined),
  });
  await expect(running).rejects.toThrow(/abort/i);
  expect((await stat(partPath)).size).toBe(100_000);
  expect((await from(ranged, { partPath })).code).toBe("OK");
  expect(await readFile(partPath)).toEqual(BYTES);
});
