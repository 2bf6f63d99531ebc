// Opens an artifact's byte stream: range and entity tag sent, redirects followed only to where the device may go.
import type { Dispatcher } from "undici";
import type { Mishap } from "../core/steps.ts";
import { connectionFailure, TimeIsUp } from "./connection-words.ts";
import { headerOf } from "./http.ts";
import { bearer, refused } from "./hub-client.ts";
import { wayOut } from "./proxy.ts";
import { readBuffers } from "./read-buffers.ts";
import { type Body, type Head, receive } from "./received.ts";

export interface Opening {
  /** For the proxies it names. */
  environment: NodeJS.ProcessEnv;
  url: string;
  credential: string;
  /** Origins beside the hub's own that a redirect may lead to, such as an object store. */
  allowedOrigins: readonly string[];
  signal: AbortSignal;
  /** First byte that is missing. */
  have: number;
  /** Strong entity tag of the bytes we have. */
  etag: string | null;
  /** How much may wait between socket and disk; less under a bandwidth cap, so that the cap is felt by the sender. */
  queueBytes?: number | undefined;
  /** From asking for a connection to the head of the answer. */
  answerWithinMs?: number | undefined;
}

export type Opened =
  | ({ ok: true; status: 200 | 206; contentLength: number | null; range: ContentRange | null; etag: string | null } & {
      body: Body;
    })
  /** 416: the server has no byte at that place. */
  | { ok: true; status: 416; completeLength: number | null }
  | { ok: false; mishap: Mishap };

export interface ContentRange {
  start: number;
  completeLength: number | null;
}

const REDIRECTS = 3;
const ANSWER_WITHIN_MS = 30_000;
const PROBLEM_LIMIT_BYTES = 64 * 1024;
const PROBLEM_WITHIN_MS = 10_000;
/** TLS hands out records; plain TCP as much as the kernel has. */
const READ_BYTES = { tls: 16 * 1024, plain: 256 * 1024 };

/** @throws only when `signal` aborts */
export async function openArtifact(opening: Opening): Promise<Opened> {
  const origin = new URL(opening.url).origin;
  let url = opening.url;
  for (let redirects = 0; redirects <= REDIRECTS; redirects += 1) {
    let answer: { head: Head; body: Body };
    try {
      answer = await ask(opening, url, new URL(url).origin === origin);
    } catch (error) {
      opening.signal.throwIfAborted();
      return { ok: false, mishap: { ...connectionFailure(error), kind: "passing" } };
    }
    const { status, headers } = answer.head;
    if (status < 300 || status >= 400) return judge(answer.head, answer.body);
    answer.body.close();
    const next = nextUrl(headerOf(headers, "location"), url, origin, opening.allowedOrigins);
    if (next === null) break;
    url = next;
  }
  return { ok: false, mishap: REDIRECT_REFUSED };
}

/** A connection of its own for each hop; it ends with the body, or when `signal` aborts. */
async function ask(opening: Opening, url: string, isAtHub: boolean): Promise<{ head: Head; body: Body }> {
  const { signal, answerWithinMs = ANSWER_WITHIN_MS } = opening;
  const { protocol, origin, pathname, search } = new URL(url);
  const buffers = readBuffers(protocol === "https:" ? READ_BYTES.tls : READ_BYTES.plain);
  const dispatcher = await wayOut({ environment: opening.environment, url, buffers, answerWithinMs });
  const request: Dispatcher.DispatchOptions = {
    origin,
    path: `${pathname}${search}`,
    method: "GET",
    headers: {
      "user-agent": "context-edge-agent",
      "accept-encoding": "identity",
      ...(isAtHub ? bearer(opening.credential) : {}),
      ...rangeHeaders(opening),
    },
  };
  const end = (reason: Error) => void dispatcher.destroy(reason);
  const abort = () => end(new Error("the download was stopped"));
  // One deadline over name, connection, proxy and handshake: each has its own below, and together they might add up.
  const deadline = setTimeout(() => end(new TimeIsUp("answer")), answerWithinMs);
  signal.addEventListener("abort", abort, { once: true });
  const release = () => signal.removeEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    const { head, body } = await receive(dispatcher, request, buffers, opening.queueBytes);
    return { head, body: { ...body, close: (reason) => (release(), body.close(reason)) } };
  } catch (error) {
    release();
    end(new Error("no answer"));
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

async function judge({ status, headers }: Head, body: Body): Promise<Opened> {
  if (status === 416) {
    body.close();
    const complete = /^bytes \*\/(\d+)$/.exec(headerOf(headers, "content-range") ?? "");
    return { ok: true, status: 416, completeLength: complete ? Number(complete[1]) : null };
  }
  if (status !== 200 && status !== 206) {
    const reply = { ok: true, status, headers, body: await readSome(body) } as const;
    return { ok: false, mishap: artifactMishap(refused(reply)) };
  }
  const encoding = headerOf(headers, "content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    body.close();
    return { ok: false, mishap: ENCODING_REFUSED };
  }
  const length = headerOf(headers, "content-length");
  const etag = headerOf(headers, "etag") ?? null;
  return {
    ok: true,
    status,
    body,
    contentLength: length !== undefined && /^\d{1,16}$/.test(length) ? Number(length) : null,
    range: status === 206 ? parseContentRange(headerOf(headers, "content-range")) : null,
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

/** The beginning of a problem document: neither an endless nor a dripping one may hold the device. */
async function readSome(body: Body): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const deadline = setTimeout(() => body.close(new TimeIsUp("problem document")), PROBLEM_WITHIN_MS);
  try {
    for (let batch = await body.take(); batch !== null && bytes < PROBLEM_LIMIT_BYTES; batch = await body.take()) {
      // Copied: a batch is only lent.
      const copy = Buffer.concat(batch);
      chunks.push(copy);
      bytes += copy.length;
    }
  } catch {
    // Half a problem document is no problem document; the status still says enough.
  } finally {
    clearTimeout(deadline);
    body.close();
  }
  return Buffer.concat(chunks).toString("utf8");
}
