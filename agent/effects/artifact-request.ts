// Opens an artifact's byte stream: range and entity tag sent, redirects followed only to where the device may go.
import type { Got, PlainResponse, Request } from "got";
import type { Mishap } from "../core/steps.ts";
import { connectionFailure, headerOf } from "./http.ts";
import { bearer, refused } from "./hub-client.ts";
import { received } from "./received.ts";

export interface Opening {
  client: Got;
  url: string;
  credential: string;
  /** Origins beside the hub's own that a redirect may lead to, such as an object store. */
  allowedOrigins: readonly string[];
  signal: AbortSignal;
  /** First byte that is missing. */
  have: number;
  /** Strong entity tag of the bytes we have. */
  etag: string | null;
}

export type Opened =
  | {
      ok: true;
      status: 200 | 206;
      body: AsyncIterable<Buffer>;
      close(): void;
      contentLength: number | null;
      range: ContentRange | null;
      etag: string | null;
    }
  /** 416: the server has no byte at that place. */
  | { ok: true; status: 416; completeLength: number | null }
  | { ok: false; mishap: Mishap };

export interface ContentRange {
  start: number;
  completeLength: number | null;
}

const REDIRECTS = 3;
const IDLE_MS = 30_000;
const PROBLEM_LIMIT_BYTES = 64 * 1024;

export async function openArtifact(opening: Opening): Promise<Opened> {
  const origin = new URL(opening.url).origin;
  let url = opening.url;
  for (let redirects = 0; redirects <= REDIRECTS; redirects += 1) {
    const isAtHub = new URL(url).origin === origin;
    const stream = opening.client.stream(url, {
      headers: { ...(isAtHub ? bearer(opening.credential) : {}), ...rangeHeaders(opening) },
      signal: opening.signal,
      timeout: { lookup: 10_000, connect: 10_000, secureConnect: 15_000, response: IDLE_MS, socket: IDLE_MS },
    });
    // Errors reach the reader through iteration; without a listener one between two awaits would end the process.
    stream.on("error", () => undefined);
    let response: PlainResponse;
    try {
      response = await responseOf(stream);
    } catch (error) {
      opening.signal.throwIfAborted();
      return { ok: false, mishap: { ...connectionFailure(error), kind: "passing" } };
    }
    const { statusCode, headers } = response;
    if (statusCode >= 300 && statusCode < 400) {
      stream.destroy();
      const next = nextUrl(headerOf(headers, "location"), url, origin, opening.allowedOrigins);
      if (next === null) return { ok: false, mishap: REDIRECT_REFUSED };
      url = next;
      continue;
    }
    return judgeResponse(stream, response);
  }
  return { ok: false, mishap: REDIRECT_REFUSED };
}

async function judgeResponse(stream: Request, { statusCode, headers }: PlainResponse): Promise<Opened> {
  if (statusCode === 416) {
    stream.destroy();
    const complete = /^bytes \*\/(\d+)$/.exec(headerOf(headers, "content-range") ?? "");
    return { ok: true, status: 416, completeLength: complete ? Number(complete[1]) : null };
  }
  const body = received(stream);
  if (statusCode !== 200 && statusCode !== 206) {
    const reply = { ok: true, status: statusCode, headers, body: await readSome(body) } as const;
    stream.destroy();
    return { ok: false, mishap: artifactMishap(refused(reply)) };
  }
  const encoding = headerOf(headers, "content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    stream.destroy();
    return { ok: false, mishap: ENCODING_REFUSED };
  }
  const length = headerOf(headers, "content-length");
  const etag = headerOf(headers, "etag") ?? null;
  return {
    ok: true,
    status: statusCode,
    body,
    close: () => stream.destroy(),
    contentLength: length !== undefined && /^\d{1,16}$/.test(length) ? Number(length) : null,
    range: statusCode === 206 ? parseContentRange(headerOf(headers, "content-range")) : null,
    // RFC 9110 §13.1.5: a weak tag must not be used with If-Range.
    etag: etag !== null && !etag.startsWith("W/") ? etag : null,
  };
}

export function parseContentRange(header: string | undefined): ContentRange | null {
  const match = /^bytes (\d{1,16})-\d{1,16}\/(\d{1,16}|\*)$/.exec(header ?? "");
  if (!match) return null;
  return { start: Number(match[1]), completeLength: match[2] === "*" ? null : Number(match[2]) };
}

function rangeHeaders({ have, etag }: Opening): Record<string, string> {
  if (have === 0) return {};
  return { range: `bytes=${have}-`, ...(etag === null ? {} : { "if-range": etag }) };
}

/** Same origin, or one the operator allowed; never from https down to http. */
function nextUrl(
  location: string | undefined,
  from: string,
  hubOrigin: string,
  allowed: readonly string[],
): string | null {
  if (location === undefined || !URL.canParse(location, from)) return null;
  const next = new URL(location, from);
  const origins = [hubOrigin, ...allowed.map((one) => new URL(one).origin)];
  const isDowngrade = new URL(from).protocol === "https:" && next.protocol !== "https:";
  return origins.includes(next.origin) && !isDowngrade ? next.href : null;
}

/** Problems that say the hub's own copy is not what was signed: no retry mends that. */
const PERMANENT_CODES: readonly string[] = ["SIZE_MISMATCH", "DIGEST_MISMATCH", "QUARANTINED"];

function artifactMishap(answer: ReturnType<typeof refused>): Mishap {
  const { code, message, nextStep, retryAfterMs } = answer;
  return {
    code,
    message: `the hub does not hand out the file: ${message}`,
    nextStep,
    kind: PERMANENT_CODES.includes(code) ? "permanent" : "passing",
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  };
}

const REDIRECT_REFUSED: Mishap = {
  code: "REDIRECT_REFUSED",
  message: "the hub redirected the download to a place this device does not know",
  nextStep: "If that is the fleet's object store, name its origin in AGENT_ARTIFACT_ORIGINS.",
  kind: "passing",
};

const ENCODING_REFUSED: Mishap = {
  code: "ENCODING_REFUSED",
  message: "the file was sent compressed, which this agent never asks for",
  nextStep: "Look for a proxy between device and hub that rewrites answers.",
  kind: "passing",
};

function responseOf(stream: Request): Promise<PlainResponse> {
  return new Promise((resolve, reject) => {
    stream.once("response", resolve);
    stream.once("error", reject);
  });
}

async function readSome(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > PROBLEM_LIMIT_BYTES) break;
    }
  } catch {
    // Half a problem document is no problem document; the status still says enough.
  }
  return Buffer.concat(chunks).toString("utf8");
}
