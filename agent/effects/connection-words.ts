// What keeps two machines from talking, in plain words: by the codes of Node, OpenSSL, got and undici.
import { describe, errnoOf } from "../errors.ts";

export interface ConnectionFailure {
  ok: false;
  code: string;
  message: string;
  nextStep: string;
}

/** A deadline of our own. */
export class TimeIsUp extends Error {
  readonly code = "TIME_IS_UP";
}

type Words = Omit<ConnectionFailure, "ok">;
const known = (code: string, message: string, nextStep: string): Words => ({ code, message, nextStep });

const DNS = "Check the URL and the device's DNS.";
const CABLE = "Check the network cable and the route to the server.";
const TOO_LATE = known("TIMEOUT", "no answer in time", "Check the network and the server's load.");
const CUT = known("CONNECTION_LOST", "the connection was cut", "Check the network between device and server.");
const UNTRUSTED = known(
  "TLS_UNTRUSTED",
  "the server's certificate is not signed by an authority this device trusts",
  "Name the authority's certificate in NODE_EXTRA_CA_CERTS, and restart the agent.",
);
const PROXY = known("PROXY_REFUSED", "the proxy does not let the device through", "Check HTTP_PROXY and HTTPS_PROXY.");

const WORDS: Record<string, Words> = {
  ENOTFOUND: known("DNS_FAILED", "the name is not known", DNS),
  EAI_AGAIN: known("DNS_FAILED", "the name server does not answer", DNS),
  ECONNREFUSED: known("CONNECTION_REFUSED", "nothing listens there", "Check that the server runs."),
  ECONNRESET: CUT,
  EPIPE: CUT,
  UND_ERR_SOCKET: CUT,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: CUT,
  EHOSTUNREACH: known("NETWORK_DOWN", "there is no way to the server", CABLE),
  ENETUNREACH: known("NETWORK_DOWN", "there is no network", CABLE),
  ENETDOWN: known("NETWORK_DOWN", "there is no network", CABLE),
  ETIMEDOUT: TOO_LATE,
  TIME_IS_UP: TOO_LATE,
  UND_ERR_CONNECT_TIMEOUT: TOO_LATE,
  UND_ERR_HEADERS_TIMEOUT: TOO_LATE,
  UND_ERR_BODY_TIMEOUT: TOO_LATE,
  EMFILE: known("TOO_MANY_FILES", "too many files are open", "Raise the agent's file limit."),
  ENFILE: known("TOO_MANY_FILES", "too many files are open on this machine", "Find out what opens them."),
  CERT_HAS_EXPIRED: known(
    "TLS_EXPIRED",
    "the server's certificate expired, or this device's clock is ahead",
    "Renew the server's certificate; check the clock. What runs keeps running.",
  ),
  CERT_NOT_YET_VALID: known(
    "CLOCK",
    "the certificate is not valid yet: this device's clock is wrong",
    "Set the clock, or wait until time synchronisation did.",
  ),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: known(
    "TLS_NAME",
    "the server's certificate is for another name",
    "Check the URL; something may stand between device and server.",
  ),
  UND_ERR_PRX_CONN: PROXY,
  UND_ERR_PRX_TLS: PROXY,
};
/** undici tells a proxy's refusal by its words only. */
const PROXY_SAID = /proxy (response|authentication)/i;

/** Goes through what caused what: libraries wrap the error that says it. */
export function connectionFailure(error: unknown): ConnectionFailure {
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth += 1) {
    const words = WORDS[errnoOf(one) ?? ""];
    if (words) return { ok: false, ...words, message: detailed(words.message, one) };
    if (PROXY_SAID.test(one.message)) return { ok: false, ...PROXY, message: `${PROXY.message} (${one.message})` };
  }
  return { ok: false, code: "CONNECTION_FAILED", message: describe(error), nextStep: "Check the network." };
}

/** got says which of its deadlines it was. */
function detailed(message: string, error: Error): string {
  return "event" in error && typeof error.event === "string" ? `${message} (${error.event})` : message;
}
