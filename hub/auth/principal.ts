// Who asks: a person by the session in the cookie, a script by its token. Read from the store each time, so a revocation counts at once.
import type { FastifyRequest } from "fastify";
import type { TokenScope } from "@context-edge/protocol";
import type { Logger } from "pino";
import type { Repositories, Store } from "../store/store.ts";
import type { UserRecord } from "../store/people-schema.ts";
import { addressKey, type Attempts } from "./attempts.ts";
import type { AuthConfig } from "./auth-config.ts";
import { sessionCookie } from "./cookies.ts";
import { boundTo, hashSecret, isSameSecret } from "./secrets.ts";

export interface Principal {
  /** As it stands in the history: `ada`, `token ci-publisher`. */
  name: string;
  role: TokenScope;
  /** Null for scripts, and where nobody has an account. */
  user: UserRecord | null;
  /** By its hash; null where there is none. */
  session: string | null;
}

/** Last-used times are for people to look at, and for ending what nobody uses: one write in five minutes is enough. */
const TOUCH_AFTER_MS = 5 * 60_000;
const LOCAL: Principal = { name: "local engineer", role: "admin", user: null, session: null };
const SHARED: Principal = { name: "engineer", role: "admin", user: null, session: null };

interface Ports {
  auth: AuthConfig;
  /** A session that was not used for this long is over. */
  idleMs: number;
  store: Store;
  /** Of tokens, by address. */
  guesses: Pick<Attempts, "refuse" | "failed">;
  now: () => number;
  log: Pick<Logger, "warn">;
}

export function identifier({ auth, idleMs, store, guesses, now, log }: Ports) {
  /** Not waited for, and nothing is lost when it fails. */
  const touch = (lastUsed: string | null, write: (tx: Repositories, at: string) => Promise<void>) => {
    // Often enough for an idle time that is short.
    if (lastUsed !== null && now() - Date.parse(lastUsed) < Math.min(TOUCH_AFTER_MS, idleMs / 4)) return;
    const at = new Date(now()).toISOString();
    store
      .transaction((tx) => write(tx, at))
      .catch((error: unknown) => log.warn({ err: error }, "a last-used time was not written"));
  };
  const isOver = (expiresAt: string | null) => expiresAt !== null && Date.parse(expiresAt) <= now();

  async function byToken(secret: string, address: string): Promise<Principal | null> {
    const from = addressKey(address);
    guesses.refuse(from);
    if (auth.kind === "token" && isSameSecret(secret, auth.token)) return SHARED;
    const token = secret.startsWith("cet_") ? await store.tokens.find({ hash: hashSecret(secret) }) : undefined;
    if (!token) {
      guesses.failed(from);
      return null;
    }
    // Known but void is no guess: a forgotten job must not lock out everybody at its address.
    if (token.revoked_at !== null || isOver(token.expires_at)) return null;
    touch(token.last_used, (tx, at) => tx.tokens.touch(token.id, at));
    return { name: `token ${token.name}`, role: token.scope, user: null, session: null };
  }

  async function bySession(secret: string): Promise<Principal | null> {
    const hash = hashSecret(secret);
    const found = await store.sessions.find(hash);
    if (!found || isOver(found.session.expires_at)) return null;
    const { session, user } = found;
    if (now() - Date.parse(session.last_used) >= idleMs) return null;
    const touchIt = () => touch(session.last_used, (tx, at) => tx.sessions.touch(hash, at));
    if (auth.kind === "token") {
      const isOurs = session.bound_to !== null && isSameSecret(session.bound_to, boundTo(secret, auth.token));
      if (!isOurs) return null;
      touchIt();
      return { ...SHARED, session: hash };
    }
    if (!user || user.disabled_at !== null) return null;
    touchIt();
    return { name: user.name, role: user.role, user, session: hash };
  }

  return async (request: FastifyRequest): Promise<Principal | null> => {
    if (auth.kind === "none") return LOCAL;
    const { authorization } = request.headers;
    // Who sends a token speaks by it, and never by a cookie that came along.
    if (authorization !== undefined) {
      const bearer = /^Bearer (\S{1,1000})$/i.exec(authorization)?.[1];
      return bearer === undefined ? null : byToken(bearer, request.ip);
    }
    const cookie = sessionCookie(request);
    return cookie === undefined ? null : bySession(cookie);
  };
}
