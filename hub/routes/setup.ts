// One-time links: the first admin's, and those that set a password. They are used up by being used.
import { Session, SetupRequest } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { browserOf, startSession } from "../auth/accounts.ts";
import type { Change } from "../changes.ts";
import type { Hub } from "../hub.ts";
import { createUser, findLink, findUser, setPassword } from "../operations/accounts.ts";
import { ProblemError } from "../problem-error.ts";
import type { UserRecord } from "../store/people-schema.ts";
import { answerSignedIn } from "./session.ts";

export function addSetupRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { changes, config, people, store } = hub;

  routes.post(
    "/api/v1/setup",
    { schema: { body: SetupRequest, response: { 200: Session } } },
    async (request, reply) => {
      const { body, ip: address } = request;
      if (config.auth.kind !== "accounts") {
        throw new ProblemError("SIGN_IN_REFUSED", "This hub has no accounts.", { nextStep: "Set HUB_AUTH=accounts." });
      }
      const { user_id } = await people.guarded({ address }, () => findLink(store, body.secret, hub.now()));
      const actor = user_id === null ? (body.name ?? "") : (await findUser(store, { id: user_id })).name;
      if (actor === "") throw new ProblemError("BAD_REQUEST", "Choose a name for the first account.");
      const password_hash = await people.passwords.hash(body.password);
      const { user, session } = await changes.make(actor, async (change) => {
        // Looked at again: of two that use one link at once, one wins.
        const link = await findLink(change.tx, body.secret, hub.now());
        const owner = await (link.user_id === null
          ? makeFirstAdmin(change, actor, password_hash)
          : choosePassword(change, link.user_id, password_hash));
        return {
          user: owner,
          session: await startSession(change, { user: owner, by: "link" }, browserOf(request)),
        };
      });
      return answerSignedIn(hub, request, reply, session, { ...user, user });
    },
  );
}

async function makeFirstAdmin(change: Change, name: string, password_hash: string): Promise<UserRecord> {
  if ((await change.tx.users.count()) > 0) {
    throw new ProblemError("SIGN_IN_REFUSED", "This hub has its first account already.", {
      nextStep: "Ask its admin to make one for you.",
    });
  }
  await change.tx.links.voidOf(null);
  return createUser(change, { name, role: "admin", password_hash });
}

async function choosePassword(change: Change, id: string, password_hash: string): Promise<UserRecord> {
  const user = await findUser(change.tx, { id });
  if (user.disabled_at !== null) throw new ProblemError("SIGN_IN_REFUSED", "This account is disabled.");
  await setPassword(change, user, password_hash);
  return { ...user, password_hash };
}
