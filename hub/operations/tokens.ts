// API tokens and join tokens: made, revoked, used. The secret is seen once, by whoever made it.
import { randomUUID } from "node:crypto";
import type { ApiToken, JoinToken, TokenScope } from "@context-edge/protocol";
import { hashSecret, isSameSecret, newSecret } from "../auth/secrets.ts";
import type { Change } from "../changes.ts";
import { ProblemError } from "../problem-error.ts";
import type { JoinTokenRecord, TokenRecord } from "../store/people-schema.ts";
import type { Repositories } from "../store/store.ts";

const DAY_MS = 86_400_000;

export const tokenView = (record: TokenRecord): ApiToken => {
  const { id, name, prefix, scope, created_at, created_by, expires_at, last_used, revoked_at } = record;
  return { id, name, prefix, scope, created_at, created_by, expires_at, last_used, revoked_at };
};
export const joinTokenView = (record: JoinTokenRecord): JoinToken => {
  const { id, name, prefix, group_name: group, created_at, created_by, expires_at, uses_left, revoked_at } = record;
  return { id, name, prefix, group, created_at, created_by, expires_at, uses_left, revoked_at };
};

const expiry = (at: string, days: number | undefined) =>
  days === undefined ? null : new Date(Date.parse(at) + days * DAY_MS).toISOString();

export async function createToken(
  { tx, at, actor, tell }: Change,
  wish: { name: string; scope: TokenScope; expires_days?: number | undefined },
): Promise<{ record: TokenRecord; secret: string }> {
  refuseTaken(await tx.tokens.list(), wish.name);
  const { secret, hash, prefix } = newSecret("cet");
  const record: TokenRecord = {
    id: `tok-${randomUUID()}`,
    name: wish.name,
    hash,
    prefix,
    scope: wish.scope,
    created_at: at,
    created_by: actor,
    expires_at: expiry(at, wish.expires_days),
    last_used: null,
    revoked_at: null,
  };
  await tx.tokens.insert(record);
  await tell("token.created", wish.name, `${actor} made the API token ${wish.name} (${wish.scope})`, {
    scope: wish.scope,
    expires_at: record.expires_at,
  });
  return { record, secret };
}

export async function createJoinToken(
  { tx, at, actor, tell }: Change,
  wish: { name: string; group?: string | undefined; uses?: number | undefined; expires_days?: number | undefined },
): Promise<{ record: JoinTokenRecord; secret: string }> {
  refuseTaken(await tx.joinTokens.list(), wish.name);
  const { secret, hash, prefix } = newSecret("cej");
  const record: JoinTokenRecord = {
    id: `join-${randomUUID()}`,
    name: wish.name,
    hash,
    prefix,
    group_name: wish.group ?? null,
    created_at: at,
    created_by: actor,
    expires_at: expiry(at, wish.expires_days),
    uses_left: wish.uses ?? null,
    revoked_at: null,
  };
  await tx.joinTokens.insert(record);
  const where = record.group_name === null ? "any group" : `group ${record.group_name}`;
  await tell("join-token.created", wish.name, `${actor} made the join token ${wish.name} for ${where}`, {
    group: record.group_name,
    uses: record.uses_left,
    expires_at: record.expires_at,
  });
  return { record, secret };
}

/** Two that are in force under one name could not be told apart in the history. */
function refuseTaken(all: readonly { name: string; revoked_at: string | null }[], name: string): void {
  if (!all.some((one) => one.name === name && one.revoked_at === null)) return;
  throw new ProblemError("CONFLICT", `There is a token ${name} already.`, {
    nextStep: "Choose another name, or revoke that one first.",
  });
}

/** By id, or by name where the one in force is meant. Revoking twice is revoking once. */
export async function revokeToken(
  { tx, at, actor, tell }: Change,
  kind: "token" | "join-token",
  by: { id: string } | { name: string },
): Promise<void> {
  const repository = kind === "token" ? tx.tokens : tx.joinTokens;
  const all: readonly { id: string; name: string; revoked_at: string | null }[] = await repository.list();
  const isMeant = (one: (typeof all)[number]) =>
    "id" in by ? one.id === by.id : one.name === by.name && one.revoked_at === null;
  const token = all.find(isMeant);
  if (!token)
    throw new ProblemError("TOKEN_UNKNOWN", `There is no ${kind} ${"id" in by ? by.id : by.name}.`, {
      nextStep: `List them with GET /api/v1/${kind}s.`,
    });
  if (token.revoked_at !== null) return;
  await repository.revoke(token.id, at);
  await tell(`${kind}.revoked`, token.name, `${actor} revoked the ${kind.replace("-", " ")} ${token.name}`);
}

export interface Admission {
  /** Where its devices go; null leaves it to the device. */
  group: string | null;
  /** For the history. */
  by: string;
}

/** Admits one device, and takes one use off the token. @returns null when the token does not admit anybody. */
export async function useJoinToken(
  tx: Repositories,
  secret: string,
  { fileToken, at }: { fileToken: string | undefined; at: string },
): Promise<Admission | null> {
  if (fileToken !== undefined && isSameSecret(fileToken, secret)) return { group: null, by: "the hub's join token" };
  const token = await tx.joinTokens.find({ hash: hashSecret(secret) });
  if (!token || token.revoked_at !== null) return null;
  if (token.expires_at !== null && token.expires_at <= at) return null;
  if (token.uses_left !== null && !(await tx.joinTokens.use(token.id))) return null;
  return { group: token.group_name, by: `join token ${token.name}` };
}

/** A token of one group must not take over a device of another by its name: the earlier credential would be void. */
export function mayEnrolAgain(
  { group }: Admission,
  known: { group_name: string; home_group: string | null } | undefined,
): boolean {
  return group === null || known === undefined || known.group_name === group || known.home_group === group;
}
