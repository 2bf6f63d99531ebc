// The door for people and scripts: every request to the API is somebody's, and the table says what they may. Devices have their own door.
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { isLoopback } from "./auth-config.ts";
import { type Access, accessOf, mayCall, UNLISTED } from "./permissions.ts";
import type { Principal } from "./principal.ts";

const READING = new Set(["GET", "HEAD", "OPTIONS"]);
const MACHINE_PATHS = /^\/(api|mlops|metrics)(\/|\?|$)/;
const OPEN: Access = { least: "anyone", publisher: true };

declare module "fastify" {
  interface FastifyRequest {
    /** Who speaks: the name that goes into the history. Null where nobody signed in. */
    actor: string | null;
    principal: Principal | null;
  }
  interface FastifyInstance {
    /** `GET /api/v1/devices`, …: what the table of permissions must cover. */
    routeKeys: ReadonlySet<string>;
  }
}

/** Before any route is registered: only routes that come later are guarded. */
export function guardPeople(app: FastifyInstance, hub: Pick<Hub, "config" | "people">): void {
  const { config, people } = hub;
  const routeKeys = new Set<string>();
  app.decorate("routeKeys", routeKeys);
  app.decorateRequest("actor", null);
  app.decorateRequest("principal", null);
  app.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) routeKeys.add(`${one} ${url}`);
  });
  app.addHook("onRequest", async (request) => {
    if (config.auth.kind === "none") refuseForeignHost(request, config.host);
    const access = accessTo(request);
    if (access.least === "device") return;
    refuseForeignOrigin(request, config.publicUrl);
    // By the route's own pattern: the address may be written in other ways (/%61pi/…) and still lead there.
    const isPage = !MACHINE_PATHS.test(request.routeOptions.url ?? request.url);
    if (isPage && access.least === "anyone") return;
    request.principal = await people.identify(request);
    request.actor = request.principal?.name ?? null;
    if (access.least === "anyone") return;
    if (!request.principal) throw nobody(config.auth.kind);
    if (!mayCall(request.principal.role, access)) throw notAllowed(request.principal, access);
  });
}

function accessTo(request: FastifyRequest): Access {
  const pattern = request.routeOptions.url;
  if (pattern !== undefined) return accessOf(request.method, pattern) ?? UNLISTED;
  // Not even that there is nothing is told to strangers.
  return MACHINE_PATHS.test(request.url) ? { least: "viewer", publisher: true } : OPEN;
}

/** The name that audit and deployments carry. @throws UNAUTHENTICATED where nobody is known. */
export function actorOf(request: FastifyRequest): string {
  if (request.actor !== null) return request.actor;
  throw new ProblemError("UNAUTHENTICATED", "This needs somebody to answer for it.");
}

function nobody(auth: Hub["config"]["auth"]["kind"]): ProblemError {
  const detail = auth === "token" ? "This needs the hub's token." : "This needs a sign-in.";
  return new ProblemError("UNAUTHENTICATED", detail, {
    nextStep: "Sign in on the dashboard, or send Authorization: Bearer <token>.",
  });
}

function notAllowed({ name, role }: Principal, { least }: Access): ProblemError {
  return new ProblemError("FORBIDDEN", `${name} is ${role}, and that is not enough for this.`, {
    nextStep: `Ask an admin: this needs the role ${least}.`,
    context: { needs: least, has: role },
  });
}

/** Without a sign-in, a page of another site must not reach the hub through the browser by a name that resolves here. */
function refuseForeignHost(request: FastifyRequest, ownHost: string): void {
  const host = hostOf(request)
    .replace(/:\d*$/, "")
    .replace(/^\[|\]$/g, "");
  if (isLoopback(host) || host === ownHost) return;
  throw new ProblemError("FORBIDDEN", `This hub does not answer to the name ${host.slice(0, 100)}.`, {
    nextStep: "Use its loopback address.",
  });
}

/**
 * `Host` as it came. Fastify's own `host` believes X-Forwarded-Host of a trusted proxy, which most proxies pass on as the client
 * wrote it; then a page of another site could call itself ours.
 */
const hostOf = (request: FastifyRequest) => request.raw.headers.host ?? "";

/** Browsers say where a request comes from, twice; scripts say nothing. */
function refuseForeignOrigin(request: FastifyRequest, publicUrl: string | undefined): void {
  if (READING.has(request.method)) return;
  const { origin, "sec-fetch-site": site } = request.headers;
  const isOwnSite = site === undefined || site === "same-origin" || site === "none";
  if (isOwnSite && (origin === undefined || isOwn(origin, hostOf(request), publicUrl))) return;
  throw new ProblemError("FORBIDDEN", "This request comes from a page of another site.", {
    nextStep: "Behind a proxy: let it pass Host on, or set HUB_PUBLIC_URL to where browsers reach the hub.",
  });
}

/** A proxy may give the hub another Host than the browser's: then the settings say what the hub is called outside. */
function isOwn(origin: string, host: string, publicUrl: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === host || (publicUrl !== undefined && origin === new URL(publicUrl).origin);
}
