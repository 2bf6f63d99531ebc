// The organisation's sign-in: off to it, and back with a session. An account is made on the first visit and follows its role on each.
import type { FastifyInstance } from "fastify";
import { browserOf, startSession } from "../auth/accounts.ts";
import { clearOidcCookie, oidcCookie, setOidcCookie } from "../auth/cookies.ts";
import { FLOW_SECONDS, oidcSignIn } from "../auth/oidc.ts";
import { accountOf } from "../auth/oidc-accounts.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { answerSignedIn } from "./session.ts";

export function addOidcRoutes(app: FastifyInstance, hub: Hub): void {
  const { config, changes, people, log } = hub;
  const { auth, publicUrl } = config;
  const isSet = auth.kind === "accounts" && auth.oidc !== undefined && publicUrl !== undefined;
  const signIn = isSet && auth.oidc ? oidcSignIn(auth.oidc, publicUrl, hub.now) : null;
  const configured = () => {
    if (signIn) return signIn;
    throw new ProblemError("NOT_FOUND", "This hub has no sign-in by OpenID Connect.", {
      nextStep: "Sign in with a name and a password.",
    });
  };

  app.get("/api/v1/session/oidc", { schema: { hide: true } }, async (request, reply) => {
    const { location, cookie } = await configured().begin();
    setOidcCookie(request, reply, cookie, FLOW_SECONDS);
    return reply.redirect(location, 303);
  });

  app.get("/api/v1/session/oidc/callback", { schema: { hide: true } }, async (request, reply) => {
    const from = configured();
    clearOidcCookie(request, reply);
    try {
      const query = request.url.split("?")[1] ?? "";
      const identity = await people.guarded({ address: request.ip }, () => from.finish(query, oidcCookie(request)));
      const signedIn = await changes.make("hub", async (change) => {
        const user = await accountOf(change, identity);
        return user && { user, session: await startSession(change, { user, by: "oidc" }, browserOf(request)) };
      });
      if (!signedIn) throw noRole();
      const { user, session } = signedIn;
      await answerSignedIn(hub, request, reply, session, { ...user, user });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      log.warn({ code: error.code, detail: error.message }, "a sign-in by OpenID Connect failed");
      // A person looks at this answer: the sign-in page says it in words.
      if ((request.headers.accept ?? "").includes("text/html")) return reply.redirect(`/#${error.code}`, 303);
      throw error;
    }
    return reply.redirect("/", 303);
  });
}

function noRole(): ProblemError {
  return new ProblemError("SIGN_IN_REFUSED", "Your account at the organisation has no role in this hub.", {
    nextStep: "Ask whoever gives out the groups at your organisation.",
  });
}
