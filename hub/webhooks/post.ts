// One try of one delivery: signed, bounded in time, no redirect followed, and of the answer only the status is read.
import { createHmac, randomBytes } from "node:crypto";
import type { LookupFunction } from "node:net";
import got, { type Response } from "got";
import type { Tried } from "../core/delivery.ts";
import { HUB_VERSION } from "../version.ts";
import { checkedLookup, refuseUrl, type AddressCheck } from "./addresses.ts";

export interface Message {
  id: string;
  url: string;
  secret: string;
  body: string;
  /** Milliseconds since the epoch, of this try. */
  atMs: number;
}

export type Post = (message: Message, signal: AbortSignal) => Promise<Tried>;

const TIMEOUT = {
  lookup: 5_000,
  connect: 5_000,
  secureConnect: 5_000,
  send: 10_000,
  response: 10_000,
  request: 15_000,
};
const PREFIX = "whsec_";

export const newSecret = (): string => `${PREFIX}${randomBytes(32).toString("base64")}`;

/** The Standard Webhooks scheme: HMAC-SHA256 of `id.timestamp.body` under the secret's bytes. */
export function signatureOf(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.slice(PREFIX.length), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}

export function postWith(check: AddressCheck): Post {
  const dnsLookup = checkedLookup(check) as LookupFunction;
  return async ({ id, url, secret, body, atMs }, signal) => {
    const refusal = refuseUrl(url, check);
    if (refusal !== undefined) return { kind: "failed", error: refusal };
    const timestamp = Math.floor(atMs / 1_000);
    const stream = got.stream.post(url, {
      body,
      headers: {
        "content-type": "application/json",
        "user-agent": `context-edge-hub/${HUB_VERSION}`,
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": signatureOf(secret, id, timestamp, body),
      },
      dnsLookup,
      timeout: TIMEOUT,
      retry: { limit: 0 },
      followRedirect: false,
      throwHttpErrors: false,
      decompress: false,
      signal,
    });
    try {
      const response = await new Promise<Response>((resolve, reject) => {
        stream.once("response", resolve).once("error", reject);
      });
      return {
        kind: "answered",
        status: response.statusCode,
        retryAfterMs: retryAfter(response.headers["retry-after"]),
      };
    } catch (error) {
      return { kind: "failed", error: error instanceof Error ? error.message.slice(0, 500) : "no answer" };
    } finally {
      // Whatever it has to say, however long: nobody reads it.
      stream.on("error", () => undefined).destroy();
    }
  };
}

/** Seconds only; a date would ask us to trust the receiver's clock. */
function retryAfter(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : null;
}
