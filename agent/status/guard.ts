// Who may ask at all: only by the device's own names (DNS rebinding), and never a page of another site (cross-site requests).
import type { IncomingHttpHeaders } from "node:http";
import type { Trouble } from "@context-edge/protocol";
import { isOwnHost, type OwnNames } from "./hosts.ts";

export interface Asking {
  method: string;
  headers: IncomingHttpHeaders;
}

export interface Refused extends Trouble {
  status: 421 | 403;
}

/** @returns null when the request may be answered. */
export function refusalOf({ method, headers }: Asking, names: OwnNames): Refused | null {
  if (!isOwnHost(headers.host, names)) {
    return {
      status: 421,
      code: "HOST_REFUSED",
      message: "this page answers only to the device's own names",
      next_step: "Use the device's address, or set AGENT_STATUS_URL to the name you use.",
    };
  }
  const isRead = method === "GET" || method === "HEAD";
  return isForeign(headers, isRead, names)
    ? {
        status: 403,
        code: "ORIGIN_REFUSED",
        message: "a page of another site may not ask this device for anything",
        next_step: "Open the device's own page and act there.",
      }
    : null;
}

/**
 * Browsers send Sec-Fetch-Site only over HTTPS or to localhost, but Origin with every POST; programs send neither.
 * A link on another site may lead here, which is what a top-level navigation is; it can read nothing and change nothing.
 */
function isForeign(headers: IncomingHttpHeaders, isRead: boolean, names: OwnNames): boolean {
  const site = headers["sec-fetch-site"];
  const isOwnSite = site === undefined || site === "same-origin" || site === "none";
  const isLink = isRead && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  if (!isOwnSite && !isLink) return true;
  const { origin } = headers;
  return origin !== undefined && !isOwnOrigin(origin, headers.host ?? "", names);
}

/** `null`, the origin of sandboxed and of file pages, is nobody's. */
function isOwnOrigin(origin: string, host: string, { statusUrl }: OwnNames): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  if (url.protocol !== "http:" && url.protocol !== "https:") return false;
  // A proxy may speak HTTPS before us and pass on our own name and port.
  if (statusUrl !== undefined && url.origin === new URL(statusUrl).origin) return true;
  return URL.canParse(`${url.protocol}//${host}`) && new URL(`${url.protocol}//${host}`).host === url.host;
}
