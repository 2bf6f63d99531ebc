// Read buffers that go round never show in the file: long bodies, odd pieces, a disk slower than the link, plain and by TLS.
import { once } from "node:events";
import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { from, lineOf } from "../testing/download-from.ts";
import { inChild } from "../testing/in-child.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { testAuthority, tlsServer } from "../testing/test-authority.ts";
import { type ReadBuffers, readBuffers } from "./read-buffers.ts";

const LONG = randomBytes(24 * 1024 * 1024);
const DIGEST = createHash("sha256").update(LONG).digest("hex");
const sha256 = async (path: string) =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");

/** Chunked, in pieces of every size from a few bytes to 200 kB, so that nothing ends where a buffer ends. */
async function inOddPieces(_request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(200);
  for (
    let at = 0, piece = 3;
    at < LONG.length && !response.destroyed;
    at += piece, piece = (piece * 7 + 11) % 200_003
  ) {
    if (response.write(LONG.subarray(at, at + piece))) continue;
    await once(response, "drain");
  }
  response.end();
}
const pieces = (request: IncomingMessage, response: ServerResponse) =>
  void inOddPieces(request, response).catch(() => response.destroy());

test.each([1024 * 1024, 16 * 1024, 1])(
  "with at most %s bytes between socket and disk the file is whole",
  async (queueBytes) => {
    const { code, partPath } = await from(pieces, { sizeBytes: LONG.length, line: lineOf({ queueBytes }) });
    expect(code).toBe("OK");
    expect(await sha256(partPath)).toBe(DIGEST);
  },
);

test("by TLS it is the same", async () => {
  const authority = await testAuthority();
  const url = await tlsServer(authority, pieces);
  const partPath = join(await tempDir(), "x.part");
  const task = { what: "download", url, partPath, sizeBytes: LONG.length } as const;
  expect(await inChild(task, { NODE_EXTRA_CA_CERTS: authority.caFile })).toEqual([{ ok: true }]);
  expect(await sha256(partPath)).toBe(DIGEST);
}, 60_000);

/** The socket that reads come from, as far as the buffers see it. */
function fakeSocket(onread: ReadBuffers["onread"]) {
  const pushed: Buffer[] = [];
  const receive: (this: object, bytes: number, buffer: Uint8Array) => boolean = onread.callback;
  return {
    pushed,
    /** @returns the buffer the read was made into */
    read(bytes: number) {
      const buffer = onread.buffer();
      receive.call({ push: (chunk: Buffer) => pushed.push(chunk) > 0 }, bytes, buffer);
      return buffer;
    },
  };
}

test("a buffer is lent again only after a chunk of a later one is written, and never the later one itself", () => {
  const buffers = readBuffers(1_000);
  const socket = fakeSocket(buffers.onread);
  const first = socket.read(500);
  buffers.passed(socket.pushed);
  const second = socket.read(500);
  expect(second).not.toBe(first);
  buffers.passed(socket.pushed);
  expect(buffers.onread.buffer()).toBe(first);
  expect(buffers.onread.buffer()).not.toBe(second);
});

test("a small read is copied, so that the large buffer is free at once", () => {
  const buffers = readBuffers(1_000);
  const socket = fakeSocket(buffers.onread);
  const buffer = socket.read(10);
  expect(socket.pushed[0]?.buffer).not.toBe(buffer.buffer);
  expect(buffers.onread.buffer()).toBe(buffer);
});
