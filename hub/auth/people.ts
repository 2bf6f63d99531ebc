// Who may speak for people and scripts: nobody in particular on a laptop, the holder of the token elsewhere. Devices have their own door.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isLoopback, type HubConfig } from "../config.ts";
import { isSameSecret } from "../devices.ts";
import { ProblemError } from "../problem-error.ts";

export const SESSION_COOKIE = "context_edge_session";

const OPEN_PATHS = [/^\/device\/v1\//, /^\/(healthz|readyz)$/, /^\/api\/v1\/session$/];
const GUARDED_PATHS = [/^\/api\//, /^\/mlops\//, /^\/metrics$/];
const READING = new Set(["GET", "HEAD", "OPTIONS"]);

export function guardPeople(app: FastifyInstance, config: HubConfig): void {
  app.addHook("onRequest", async (request) => {
    const path = request.url.split("?", 1)[0] ?? "";
    if (config.auth.kind === "none") refuseForeignHost(request, config.host);
    if (OPEN_PATHS.some((open) => open.test(path)) && !path.startsWith("/api/")) return;
    refuseForeignOrigin(request);
    if (!GUARDED_PATHS.some((guarded) => guarded.test(path)) || OPEN_PATHS.some((open) => open.test(path))) return;
    if (!isSignedIn(request, config)) {
      throw new ProblemError("UNAUTHENTICATED", "This needs the hub's token.", {
        nextStep: "Sign in on the dashboard, or send Authorization: Bearer <token>.",
      });
    }
  });
}

export function isSignedIn(request: FastifyRequest, { auth }: HubConfig): boolean {
  if (auth.kind === "none") return true;
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const presented = bearer ?? request.cookies[SESSION_COOKIE];
  return presented !== undefined && isSameSecret(presented, auth.token);
}

/** The name that audit and deployments carry. Accounts come later; until then there is one voice. */
export function actorOf({ auth }: HubConfig): string {
  return auth.kind === "none" ? "local engineer" : "engineer";
}

/** Without a sign-in, a page of another site must not reach the hub through the browser by a name that resolves here. */
function refuseForeignHost(request: FastifyRequest, ownHost: string): void {
  const host = request.hostname.replace(/^\[|\]$/g, "");
  if (isLoopback(host) || host === ownHost) return;
  throw new ProblemError("FORBIDDEN", `This hub does not answer to the name ${host.slice(0, 100)}.`, {
    nextStep: "Use its loopback address.",
  });
}

function refuseForeignOrigin(request: FastifyRequest): void {
  const { origin } = request.headers;
  if (origin === undefined || READING.has(request.method)) return;
  if (URL.canParse(origin) && new URL(origin).host === request.host) return;
  throw new ProblemError("FORBIDDEN", "This request comes from a page of another site.");
}
