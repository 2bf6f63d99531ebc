// Who am I to this hub, signing in and out, and changing one's own password.
import { ChangePasswordRequest, Session, SignInRequest } from "@context-edge/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { browserOf, type NewSession, startSession } from "../auth/accounts.ts";
import { clearSessionCookie, setSessionCookie } from "../auth/cookies.ts";
import type { Principal } from "../auth/principal.ts";
import { isSameSecret } from "../auth/secrets.ts";
import type { Hub } from "../hub.ts";
import { setPassword } from "../operations/accounts.ts";
import { ProblemError } from "../problem-error.ts";
import { HUB_VERSION } from "../version.ts";

export async function describeSession({ config, store }: Hub, principal: Principal | null): Promise<Session> {
  const { auth } = config;
  return {
    auth: auth.kind,
    signed_in: principal !== null,
    user: principal?.name ?? null,
    role: principal?.role ?? null,
    oidc: auth.kind === "accounts" && auth.oidc !== undefined,
    setup_needed: auth.kind === "accounts" && (await store.users.count()) === 0,
    hub_version: HUB_VERSION,
    gate_soak_seconds: config.gateSoakSeconds,
  };
}

/** From here on this request, and the browser, speak for the session. */
export async function answerSignedIn(
  hub: Hub,
  request: FastifyRequest,
  reply: FastifyReply,
  { secret, seconds }: NewSession,
  principal: Omit<Principal, "session">,
): Promise<Session> {
  setSessionCookie(request, reply, secret, seconds);
  return describeSession(hub, { ...principal, session: null });
}

export function addSessionRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { config, changes, people } = hub;

  routes.get("/api/v1/session", { schema: { response: { 200: Session } } }, ({ principal }) =>
    describeSession(hub, principal),
  );

  routes.post(
    "/api/v1/session",
    { schema: { body: SignInRequest, response: { 200: Session } } },
    async (request, reply) => {
      const { auth } = config;
      const { body, ip: address } = request;
      if (auth.kind === "none") return describeSession(hub, request.principal);
      if (auth.kind === "token") {
        if (!("token" in body)) throw wrongWay("This hub signs in with its one token, not with names.");
        await people.guarded({ address }, async () => {
          if (isSameSecret(body.token, auth.token)) return;
          throw new ProblemError("UNAUTHENTICATED", "That is not the hub's token.", {
            nextStep: "Ask whoever runs the hub.",
          });
        });
        const session = await changes.make("engineer", (change) =>
          startSession(change, { token: auth.token }, browserOf(request)),
        );
        return answerSignedIn(hub, request, reply, session, { name: "engineer", role: "admin", user: null });
      }
      if (!("name" in body)) throw wrongWay("This hub signs in with a name and a password.");
      const name = body.name.trim().toLowerCase();
      const user = await people.guarded({ name, address }, () => people.checkPassword(name, body.password));
      const session = await changes.make(user.name, (change) =>
        startSession(change, { user, by: "password" }, browserOf(request)),
      );
      return answerSignedIn(hub, request, reply, session, { ...user, user });
    },
  );

  routes.delete("/api/v1/session", { schema: { response: { 200: Session } } }, async (request, reply) => {
    const { principal } = request;
    clearSessionCookie(request, reply);
    if (principal?.session) {
      const { name, session } = principal;
      await changes.make(name, async ({ tx, tell }) => {
        await tx.sessions.end(session);
        if (principal.user) await tell("user.signed-out", name, `${name} signed out`);
      });
    }
    return describeSession(hub, config.auth.kind === "none" ? principal : null);
  });

  routes.post(
    "/api/v1/session/password",
    { schema: { body: ChangePasswordRequest, response: { 200: Session } } },
    async (request, reply) => {
      const { body, principal, ip: address } = request;
      const name = principal?.user?.name;
      if (!principal || name === undefined || principal.user?.password_hash === null)
        throw wrongWay("Only who signed in with a password of this hub can change it.");
      const user = await people.guarded({ name, address }, () => people.checkPassword(name, body.current));
      const password_hash = await people.passwords.hash(body.password);
      const session = await changes.make(name, async (change) => {
        // Every session ends, this one too: another one takes its place.
        await setPassword(change, user, password_hash);
        return startSession(change, { user, by: "password" }, browserOf(request));
      });
      return answerSignedIn(hub, request, reply, session, { ...user, user });
    },
  );
}

function wrongWay(detail: string): ProblemError {
  return new ProblemError("BAD_REQUEST", detail, { nextStep: "See docs/people.md." });
}
