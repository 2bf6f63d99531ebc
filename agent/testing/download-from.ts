// One download from a server made for one test, with everything else as usual.
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { download, type Download } from "../effects/download.ts";
import { type DownloadLine, downloadLine } from "../effects/download-line.ts";
import { loopbackServer } from "./loopback-server.ts";
import { tempDir } from "./temp-dir.ts";

export const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_unused, index) => index % 251));
export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

export async function from(server: Handle | string, more: Partial<Download> = {}) {
  const url = typeof server === "string" ? server : await loopbackServer(server);
  const partPath = more.partPath ?? join(await tempDir(), "x.part");
  const request: Download = {
    line: lineOf(),
    url: `${url}/device/v1/artifacts/x`,
    credential: "secret",
    allowedOrigins: [],
    partPath,
    clean: false,
    sizeBytes: BYTES.length,
    reserveBytes: 0,
    progress: () => undefined,
    signal: new AbortController().signal,
    ...more,
  };
  const result = await download(request);
  return { code: result.ok ? "OK" : result.mishap.code, result, request, partPath };
}

/** The line of a device without proxies, and whatever a test wants otherwise. */
export function lineOf(more: Partial<DownloadLine> = {}): DownloadLine {
  return { ...downloadLine({ environment: {}, minBytesPerS: 256 }), ...more };
}

export const startOf = (request: IncomingMessage) => Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);

/** Serves BYTES as a hub does. */
export const ranged: Handle = (request, response) => {
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
