// One's own sessions: where one is signed in, and ending what should not be open any more.
import { BrowserSession, EndedSessions, listOf, ListQuery } from "@context-edge/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { clearSessionCookie } from "../auth/cookies.ts";
import { actorOf } from "../auth/people.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import type { SessionRecord } from "../store/people-schema.ts";
import { type Order, sortedPage } from "./sorted-page.ts";

/** Of the hash, which is of 256 random bits: enough to name it, no help to whoever wants to be it. */
const idOf = ({ hash }: SessionRecord) => hash.slice(0, 16);

const NEWEST_FIRST: Order<SessionRecord> = {
  name: "sessions",
  keyOf: ({ created_at }) => created_at,
  idOf,
  descending: true,
};

export function addSessionsRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { changes, config, store } = hub;

  /** Newest first; those that are over and not yet cleared away are left out. */
  const openSessions = async ({ principal }: FastifyRequest): Promise<SessionRecord[]> => {
    const isHolder = config.auth.kind === "token" && principal?.session !== null;
    if (!principal?.user && !isHolder) {
      throw new ProblemError("BAD_REQUEST", "Only who has signed in with a browser has sessions.", {
        nextStep: "API tokens are listed with GET /api/v1/tokens.",
      });
    }
    const all = await store.sessions.list(principal?.user?.id ?? null);
    const nowMs = hub.now();
    return all.filter(({ expires_at, last_used }) => {
      return Date.parse(expires_at) > nowMs && nowMs - Date.parse(last_used) < config.sessionIdleMs;
    });
  };

  routes.get(
    "/api/v1/session/sessions",
    { schema: { querystring: ListQuery, response: { 200: listOf(BrowserSession) } } },
    async (request) => {
      const page = sortedPage(await openSessions(request), NEWEST_FIRST, request.query);
      const view = (session: SessionRecord): BrowserSession => {
        const { created_at, last_used, expires_at, address, agent } = session;
        const current = session.hash === request.principal?.session;
        return { id: idOf(session), current, created_at, last_used, expires_at, address, agent };
      };
      return { ...page, items: page.items.map(view) };
    },
  );

  const end = async (request: FastifyRequest, sessions: readonly SessionRecord[], words: string) => {
    const actor = actorOf(request);
    if (sessions.length === 0) return;
    await changes.make(actor, async ({ tx, tell }) => {
      for (const { hash } of sessions) await tx.sessions.end(hash);
      await tell("user.sessions-ended", actor, `${actor} ended ${words}`, { sessions: sessions.length });
    });
  };

  routes.delete("/api/v1/session/sessions", { schema: { response: { 200: EndedSessions } } }, async (request) => {
    const others = (await openSessions(request)).filter(({ hash }) => hash !== request.principal?.session);
    await end(request, others, "their other sessions");
    return { ended: others.length };
  });

  routes.delete(
    "/api/v1/session/sessions/:id",
    { schema: { params: z.object({ id: z.string() }), response: { 204: z.null() } } },
    async (request, reply) => {
      const session = (await openSessions(request)).find((one) => idOf(one) === request.params.id);
      if (!session) {
        throw new ProblemError("SESSION_UNKNOWN", "You have no session of that name that is still open.", {
          nextStep: "List them with GET /api/v1/session/sessions.",
        });
      }
      await end(request, [session], `a session of theirs, begun ${session.created_at}`);
      if (session.hash === request.principal?.session) clearSessionCookie(request, reply);
      return reply.code(204).send(null);
    },
  );
}
