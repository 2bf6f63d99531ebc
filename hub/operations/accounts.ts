// Accounts: made, changed, given a new password link, disabled. Each within a change, so that the history tells of it.
import { randomUUID } from "node:crypto";
import type { Role, User } from "@context-edge/protocol";
import { hashSecret, newSecret } from "../auth/secrets.ts";
import type { Change } from "../changes.ts";
import type { HubConfig } from "../config.ts";
import { ProblemError } from "../problem-error.ts";
import type { LinkRecord, UserRecord } from "../store/people-schema.ts";
import type { Repositories } from "../store/store.ts";

const LINK_HOURS = 24;
/** Names by which the hub itself speaks in the history. */
const RESERVED = new Set(["conductor", "device", "devices", "engineer", "hub", "local", "operator", "system", "token"]);

export function userView({ password_hash, oidc_subject, ...user }: UserRecord): User {
  const signsIn = oidc_subject === null ? (password_hash === null ? "nothing yet" : "password") : "oidc";
  return { ...user, signs_in_with: signsIn };
}

export async function createUser(
  { tx, at, actor, tell }: Change,
  wish: { name: string; role: Role; password_hash: string | null; oidc_subject?: string },
): Promise<UserRecord> {
  if (RESERVED.has(wish.name)) throw new ProblemError("CONFLICT", `${wish.name} is a name the hub itself uses.`);
  if (await tx.users.find({ name: wish.name }))
    throw new ProblemError("CONFLICT", `There is an account ${wish.name} already.`, {
      nextStep: "Choose another name.",
    });
  const user: UserRecord = {
    id: `usr-${randomUUID()}`,
    name: wish.name,
    password_hash: wish.password_hash,
    oidc_subject: wish.oidc_subject ?? null,
    role: wish.role,
    created_at: at,
    created_by: actor,
    disabled_at: null,
  };
  await tx.users.insert(user);
  await tell("user.created", user.name, `${actor} made the account ${user.name} (${user.role})`, { role: user.role });
  return user;
}

export async function findUser(store: Repositories, by: { id: string } | { name: string }): Promise<UserRecord> {
  const user = await store.users.find(by);
  if (user) return user;
  throw new ProblemError("USER_UNKNOWN", `There is no account ${"id" in by ? by.id : by.name}.`, {
    nextStep: "List them with GET /api/v1/users, or with `user list`.",
  });
}

export async function changeUser(
  { tx, at, actor, tell }: Change,
  user: UserRecord,
  wish: { role?: Role | undefined; disabled?: boolean | undefined },
): Promise<UserRecord> {
  const role = wish.role ?? user.role;
  const isDisabled = wish.disabled ?? user.disabled_at !== null;
  await refuseLosingTheLastAdmin(tx, user, role === "admin" && !isDisabled);
  if (role !== user.role) {
    await tx.users.update(user.id, { role });
    const words = `${actor} made ${user.name} ${role}, who was ${user.role}`;
    await tell("user.role-changed", user.name, words, { from: user.role, to: role });
  }
  const disabled_at = isDisabled ? (user.disabled_at ?? at) : null;
  if (disabled_at !== user.disabled_at) {
    await tx.users.update(user.id, { disabled_at });
    await tx.sessions.endOf(user.id);
    await tx.links.voidOf(user.id);
    if (isDisabled) await tell("user.disabled", user.name, `${actor} disabled the account ${user.name}`);
    else await tell("user.enabled", user.name, `${actor} enabled the account ${user.name}`);
  }
  return { ...user, role, disabled_at };
}

async function refuseLosingTheLastAdmin(tx: Repositories, user: UserRecord, staysAdmin: boolean): Promise<void> {
  if (staysAdmin) return;
  const admins = (await tx.users.list()).filter(({ role, disabled_at }) => role === "admin" && disabled_at === null);
  if (admins.length !== 1 || admins[0]?.id !== user.id) return;
  throw new ProblemError("CONFLICT", `${user.name} is the only admin.`, {
    nextStep: "Make somebody else admin first.",
  });
}

/** A link that sets the password once, within a day. Links made before are void. */
export async function makePasswordLink({ tx, at }: Change, user: UserRecord | null): Promise<string> {
  const { secret, hash } = newSecret("cel");
  // The first admin's stay valid beside each other: each replica that starts prints one, and the first use voids all.
  if (user) await tx.links.voidOf(user.id);
  const expires_at = new Date(Date.parse(at) + LINK_HOURS * 3_600_000).toISOString();
  await tx.links.insert({ hash, user_id: user?.id ?? null, created_at: at, expires_at });
  return secret;
}

/** The password is void and every session ended: whoever had them is out at once. */
export async function resetUser(change: Change, user: UserRecord): Promise<string> {
  const { tx, actor, tell } = change;
  if (user.oidc_subject !== null) {
    throw new ProblemError(
      "CONFLICT",
      `${user.name} signs in with the organisation's account and has no password here.`,
    );
  }
  await tx.users.update(user.id, { password_hash: null });
  await tx.sessions.endOf(user.id);
  await tell("user.reset", user.name, `${actor} made a new password link for ${user.name}`);
  return makePasswordLink(change, user);
}

/** @param keep the session that goes on, by its hash. */
export async function setPassword(
  { tx, actor, tell }: Change,
  user: UserRecord,
  password_hash: string,
  keep?: string,
): Promise<void> {
  await tx.users.update(user.id, { password_hash });
  await tx.sessions.endOf(user.id, keep);
  await tx.links.voidOf(user.id);
  await tell("user.password-set", user.name, `${actor} set a password for ${user.name}`);
}

/** @throws SIGN_IN_REFUSED for a link that is unknown, used or too old. */
export async function findLink(store: Repositories, secret: string, nowMs: number): Promise<LinkRecord> {
  const link = await store.links.find(hashSecret(secret));
  if (link && Date.parse(link.expires_at) > nowMs) return link;
  throw new ProblemError("SIGN_IN_REFUSED", "This link was used, is too old, or was never one of this hub.", {
    nextStep: "Ask an admin for a new one. Nobody has an account yet? `user link` on the hub's machine prints another.",
  });
}

export function setupUrl(config: Pick<HubConfig, "publicUrl" | "host" | "port">, secret: string): string {
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const base = config.publicUrl ?? `http://${host}:${config.port}`;
  return `${base.replace(/\/$/, "")}/setup#${secret}`;
}
