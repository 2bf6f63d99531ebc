// What the hub knows of people: who asks, their passwords, their sessions, and how often somebody guessed.
import type { FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { Change, Changes } from "../changes.ts";
import type { HubConfig } from "../config.ts";
import { ProblemError } from "../problem-error.ts";
import type { UserRecord } from "../store/people-schema.ts";
import type { Store } from "../store/store.ts";
import { addressKey, countAttempts } from "./attempts.ts";
import { keepPasswords, type Passwords } from "./passwords.ts";
import { identifier, type Principal } from "./principal.ts";
import { boundTo, hashSecret, isSameSecret, newSecret } from "./secrets.ts";

const DAY_SECONDS = 86_400;
export const SESSION_SECONDS = 7 * DAY_SECONDS;
/** Whoever loses a role at the organisation's sign-in loses it here within half a day. */
export const OIDC_SESSION_SECONDS = DAY_SECONDS / 2;

const FAILURES = { perName: 10, perAddress: 30, tokensPerAddress: 30, enrollPerAddress: 100 };

export interface People {
  identify(request: FastifyRequest): Promise<Principal | null>;
  passwords: Passwords;
  /** Runs a check of a secret that came from outside; failures count against whoever made it. */
  guarded<T>(by: { name?: string; address: string }, check: () => Promise<T>): Promise<T>;
  /** The same for join tokens; one that is known counts for nothing, however many come with it at once. */
  guardedEnrolment<T>(by: { joinToken: string; address: string }, enrol: () => Promise<T>): Promise<T>;
  /** @throws UNAUTHENTICATED, the same for an unknown name and for a wrong password. */
  checkPassword(name: string, password: string): Promise<UserRecord>;
}

interface Ports {
  config: HubConfig;
  store: Store;
  changes: Changes;
  now: () => number;
  log: Logger;
}

export function openPeople({ config, store, changes, now, log }: Ports): People {
  const passwords = keepPasswords();
  const byName = countAttempts(FAILURES.perName, now);
  const byAddress = countAttempts(FAILURES.perAddress, now);
  const enrolments = countAttempts(FAILURES.enrollPerAddress, now);
  return {
    identify: identifier({
      auth: config.auth,
      idleMs: config.sessionIdleMs,
      store,
      guesses: countAttempts(FAILURES.tokensPerAddress, now),
      now,
      log,
    }),
    passwords,
    async guarded({ name, address }, check) {
      const from = addressKey(address);
      byAddress.begin(from);
      if (name !== undefined) byName.begin(name);
      const result = await check();
      byAddress.succeeded(from);
      if (name !== undefined) byName.succeeded(name);
      return result;
    },
    async guardedEnrolment({ joinToken, address }, enrol) {
      const from = addressKey(address);
      enrolments.refuse(from);
      const isOfFile = config.joinToken !== undefined && isSameSecret(config.joinToken, joinToken);
      const isKnown = isOfFile || (await store.joinTokens.find({ hash: hashSecret(joinToken) })) !== undefined;
      if (!isKnown) enrolments.failed(from);
      return enrol();
    },
    async checkPassword(name, password) {
      const user = await store.users.find({ name });
      const isRight = await passwords.verify(password, user?.password_hash ?? null);
      if (!user || !isRight || user.disabled_at !== null) {
        // A name that is unknown may be a password typed into the wrong field: it is not logged.
        log.warn({ user: user?.name ?? "unknown" }, "a sign-in failed");
        throw new ProblemError("UNAUTHENTICATED", "That name and password do not belong to an account here.", {
          nextStep: "Try again, or ask an admin for a new link to set your password.",
        });
      }
      if (user.password_hash !== null && passwords.isOld(user.password_hash)) {
        const password_hash = await passwords.hash(password);
        await changes.make(user.name, ({ tx }) => tx.users.update(user.id, { password_hash }));
      }
      return user;
    },
  };
}

export interface NewSession {
  secret: string;
  seconds: number;
}

/** Who signs in, as far as the request tells. */
export interface Browser {
  /** That it has already, by its hash. */
  session: string | null;
  address: string;
  agent: string | null;
}

const LONGEST_AGENT = 200;

export function browserOf({ principal, ip, headers }: FastifyRequest): Browser {
  const agent = headers["user-agent"]?.slice(0, LONGEST_AGENT) ?? null;
  return { session: principal?.session ?? null, address: ip, agent };
}

/** Always a new one; what the browser sent before is ended, so that nobody can plant a session and wait for its owner. */
export async function startSession(
  { tx, at, tell }: Change,
  who: { user: UserRecord; by: "password" | "oidc" | "link" } | { token: string },
  browser: Browser | null,
): Promise<NewSession> {
  const { secret, hash } = newSecret("ces");
  const isOidc = "by" in who && who.by === "oidc";
  const seconds = isOidc ? OIDC_SESSION_SECONDS : SESSION_SECONDS;
  if (browser?.session) await tx.sessions.end(browser.session);
  await tx.sessions.endExpired(at);
  await tx.sessions.insert({
    hash,
    user_id: "user" in who ? who.user.id : null,
    bound_to: "token" in who ? boundTo(secret, who.token) : null,
    created_at: at,
    last_used: at,
    expires_at: new Date(Date.parse(at) + seconds * 1_000).toISOString(),
    address: browser?.address ?? null,
    agent: browser?.agent ?? null,
  });
  if ("user" in who) await tell("user.signed-in", who.user.name, `${who.user.name} signed in`, { by: who.by });
  return { secret, seconds };
}
