// The way out for downloads: straight, or through the proxy that the environment names; private CAs come from NODE_EXTRA_CA_CERTS.
import type { Dispatcher } from "undici";
import type { ReadBuffers } from "./read-buffers.ts";

export interface WayOut {
  /** For HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case; the lower one wins, as with curl. */
  environment: NodeJS.ProcessEnv;
  /** The way is made for this address's scheme. */
  url: string;
  buffers: ReadBuffers;
  answerWithinMs: number;
}

/** undici is loaded here, by the first download: a device at rest does not pay for it. */
export async function wayOut({ environment, url, buffers, answerWithinMs }: WayOut): Promise<Dispatcher> {
  const options = {
    // One stream over one connection: HTTP/2 would only add copies.
    allowH2: false,
    connections: 1,
    // Node's own defaults for certificates hold; read buffers are lent to straight connections only.
    connect: { timeout: answerWithinMs, onread: buffers.onread },
    headersTimeout: answerWithinMs,
    // The minimum-rate watchdog stands guard over the body: it also notices a link that gives a byte now and then.
    bodyTimeout: 0,
  };
  const proxy = proxyFor(new URL(url).protocol, environment);
  if (proxy === "") {
    const { default: Agent } = await import("undici/lib/dispatcher/agent.js");
    return new Agent(options);
  }
  const { EnvHttpProxyAgent } = await import("undici");
  const noProxy = environment["no_proxy"] ?? environment["NO_PROXY"] ?? "";
  return new EnvHttpProxyAgent({ ...options, httpProxy: proxy, httpsProxy: proxy, noProxy });
}

/** HTTPS never falls back to HTTP_PROXY: curl and Node do not do that either. Empty means: no proxy. */
function proxyFor(protocol: string, environment: NodeJS.ProcessEnv): string {
  const name = protocol === "https:" ? "https_proxy" : "http_proxy";
  return environment[name] ?? environment[name.toUpperCase()] ?? "";
}
