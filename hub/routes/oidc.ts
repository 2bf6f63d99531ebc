// The organisation's sign-in: off to it, and back with a session. An account is made on the first visit and follows its role on each.
import type { FastifyInstance } from "fastify";
import { UserName } from "@context-edge/protocol";
import { startSession } from "../auth/accounts.ts";
import { clearOidcCookie, oidcCookie, setOidcCookie } from "../auth/cookies.ts";
import { FLOW_SECONDS, type Identity, oidcSignIn } from "../auth/oidc.ts";
import type { Change } from "../changes.ts";
import type { Hub } from "../hub.ts";
import { changeUser, createUser } from "../operations/accounts.ts";
import { ProblemError } from "../problem-error.ts";
import type { UserRecord } from "../store/people-schema.ts";
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
      const { user, session } = await changes.make("hub", async (change) => {
        const owner = await accountOf(change, identity);
        const replaces = request.principal?.session ?? null;
        return { user: owner, session: await startSession(change, { user: owner, by: "oidc" }, replaces) };
      });
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

/** Known by issuer and subject alone: a name that somebody chose elsewhere never leads to an account made here. */
async function accountOf(change: Change, { subject, name, role }: Identity): Promise<UserRecord> {
  const known = await change.tx.users.find({ oidc_subject: subject });
  if (known) {
    if (known.disabled_at !== null) throw new ProblemError("SIGN_IN_REFUSED", "This account is disabled.");
    return changeUser(change, known, { role });
  }
  const issuer = new URL(subject.split(" ", 1)[0] ?? "").hostname;
  const wished = [name, `${name}@${issuer}`.replaceAll(/[^A-Za-z0-9._@+-]/g, "-")];
  for (const wish of wished) {
    const parsed = UserName.safeParse(wish);
    if (parsed.success && !(await change.tx.users.find({ name: parsed.data })))
      return createUser(change, { name: parsed.data, role, password_hash: null, oidc_subject: subject });
  }
  throw new ProblemError("SIGN_IN_REFUSED", "The name of your account is taken here by another one.", {
    nextStep: "Ask an admin.",
  });
}
