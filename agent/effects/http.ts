// HTTP as the agent allows it: deadlines on every phase, capped bodies, no compression, no redirects, no hidden retries.
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { type Got, RequestError, type Response, TimeoutError } from "got";
import { describe } from "../errors.ts";

/** Enough for a manifest with 256 golden samples; an endless body is cut here. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

export interface HttpFailure {
  ok: false;
  code: string;
  message: string;
  nextStep: string;
}
export interface HttpReply {
  ok: true;
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
}

export interface HttpRequest {
  method: "GET" | "POST";
  url: string;
  headers?: Record<string, string>;
  json?: unknown;
  /** For the whole exchange. */
  deadlineMs: number;
  signal: AbortSignal;
}

export interface Http {
  /** Any status is a reply; only what kept a reply from arriving is a failure. Throws only when `signal` aborts. */
  request(request: HttpRequest): Promise<HttpReply | HttpFailure>;
  /** Kept for streaming downloads, which have deadlines of their own. */
  client: Got;
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
  return {
    client,
    async request({ method, url, headers, json, deadlineMs, signal }) {
      const tooLong = new AbortController();
      const pending = client(url, {
        method,
        headers: headers ?? {},
        ...(json === undefined ? {} : { json }),
        timeout: { lookup: 10_000, connect: 10_000, secureConnect: 15_000, request: deadlineMs },
        signal: AbortSignal.any([signal, tooLong.signal]),
      });
      void pending.on("downloadProgress", ({ transferred }) => {
        if (transferred > BODY_LIMIT_BYTES) tooLong.abort();
      });
      try {
        const response: Response<string> = await pending;
        if (response.headers["content-encoding"] !== undefined && response.headers["content-encoding"] !== "identity") {
          return failure("ENCODING_REFUSED", "the answer was compressed, which this agent never asks for");
        }
        return { ok: true, status: response.statusCode, headers: response.headers, body: response.body };
      } catch (error) {
        signal.throwIfAborted();
        if (tooLong.signal.aborted) return failure("BODY_TOO_LARGE", "the answer was longer than anything expected");
        return connectionFailure(error);
      }
    },
  };
}

/** What keeps a connection from being made, by the code Node gives it. */
const CONNECTION_WORDS: Record<string, { code: string; message: string; nextStep: string }> = {
  ENOTFOUND: { code: "DNS_FAILED", message: "the name is not known", nextStep: "Check the URL and the device's DNS." },
  EAI_AGAIN: {
    code: "DNS_FAILED",
    message: "the name server does not answer",
    nextStep: "Check the device's network.",
  },
  ECONNREFUSED: {
    code: "CONNECTION_REFUSED",
    message: "nothing listens there",
    nextStep: "Check that the server runs.",
  },
  ECONNRESET: { code: "CONNECTION_LOST", message: "the connection was cut", nextStep: "" },
  EHOSTUNREACH: {
    code: "NETWORK_DOWN",
    message: "there is no way to the server",
    nextStep: "Check the network cable.",
  },
  ENETUNREACH: { code: "NETWORK_DOWN", message: "there is no network", nextStep: "Check the network cable." },
  CERT_HAS_EXPIRED: {
    code: "TLS_EXPIRED",
    message: "the certificate expired",
    nextStep: "Renew the server's certificate.",
  },
  CERT_NOT_YET_VALID: {
    code: "CLOCK",
    message: "the certificate is not valid yet: this device's clock is wrong",
    nextStep: "Set the clock, or wait until time synchronisation did.",
  },
};

export function connectionFailure(error: unknown): HttpFailure {
  if (error instanceof TimeoutError) {
    return {
      ...failure("TIMEOUT", `no answer in time (${error.event})`),
      nextStep: "Check the network and the server's load.",
    };
  }
  const code = error instanceof RequestError ? error.code : "";
  const known = CONNECTION_WORDS[code];
  if (known) return { ok: false, ...known };
  return failure("CONNECTION_FAILED", describe(error));
}

function failure(code: string, message: string): HttpFailure {
  return { ok: false, code, message, nextStep: "" };
}

export function headerOf(headers: HttpReply["headers"], name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}
