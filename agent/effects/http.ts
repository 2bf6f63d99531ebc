// HTTP as the agent allows it: deadlines on every phase, capped bodies, no compression, no redirects, no hidden retries.
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { type Response } from "got";
import { type ConnectionFailure, connectionFailure } from "./connection-words.ts";

/** Enough for a manifest with 256 golden samples; an endless body is cut here. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

export type HttpFailure = ConnectionFailure;
export interface HttpReply {
  ok: true;
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
  /** The same, before it was read as text. */
  bytes: Uint8Array;
}

export interface HttpRequest {
  method: "GET" | "POST" | "DELETE";
  url: string;
  headers?: Record<string, string>;
  json?: unknown;
  /** Instead of `json`: sent as it is. */
  bytes?: Uint8Array;
  /** PEM of the only authority that is trusted for this request, such as a cluster's own. */
  authority?: string;
  /** For the whole exchange. */
  deadlineMs: number;
  signal: AbortSignal;
}

export interface Http {
  /** Any status is a reply; only what kept a reply from arriving is a failure. Throws only when `signal` aborts. */
  request(request: HttpRequest): Promise<HttpReply | HttpFailure>;
}

/** @param environment for HTTP_PROXY, HTTPS_PROXY and NO_PROXY */
export function http(environment: NodeJS.ProcessEnv): Http {
  const options = { keepAlive: true, proxyEnv: environment };
  const client = got.extend({
    agent: { http: new HttpAgent(options), https: new HttpsAgent(options) },
    // Our own backoff knows the whole picture; a library's retries would multiply it.
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    headers: { "user-agent": "context-edge-agent", "accept-encoding": "identity" },
    timeout: { lookup: 10_000, connect: 10_000, secureConnect: 15_000 },
  });
  const decoder = new TextDecoder();
  return {
    async request({ method, url, headers, json, bytes, authority, deadlineMs, signal }) {
      const tooLong = new AbortController();
      // Monotonic: got counts its own deadline by the wall clock, and a device's clock jumps when it is set.
      const late = AbortSignal.timeout(deadlineMs);
      const pending = client(url, {
        method,
        headers: headers ?? {},
        ...(json === undefined ? {} : { json }),
        ...(bytes === undefined ? {} : { body: bytes }),
        ...(authority === undefined ? {} : { https: { certificateAuthority: authority } }),
        responseType: "buffer",
        signal: AbortSignal.any([signal, tooLong.signal, late]),
      });
      void pending.on("downloadProgress", ({ transferred }) => {
        if (transferred > BODY_LIMIT_BYTES) tooLong.abort();
      });
      try {
        const response: Response<Uint8Array> = await pending;
        if (response.headers["content-encoding"] !== undefined && response.headers["content-encoding"] !== "identity") {
          return failure("ENCODING_REFUSED", "the answer was compressed, which this agent never asks for");
        }
        const { statusCode: status, headers: received, body: content } = response;
        return { ok: true, status, headers: received, body: decoder.decode(content), bytes: content };
      } catch (error) {
        signal.throwIfAborted();
        if (tooLong.signal.aborted) return failure("BODY_TOO_LARGE", "the answer was longer than anything expected");
        if (late.aborted) {
          return { ...failure("TIMEOUT", "no answer in time"), nextStep: "Check the network and the server's load." };
        }
        return connectionFailure(error);
      }
    },
  };
}

function failure(code: string, message: string): HttpFailure {
  return { ok: false, code, message, nextStep: "" };
}

export function headerOf(headers: HttpReply["headers"], name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}
