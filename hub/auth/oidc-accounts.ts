// Accounts of the organisation's sign-in: made on the first visit, and on each one what the organisation says of them now.
import { type Role, UserName } from "@context-edge/protocol";
import type { Change } from "../changes.ts";
import { createUser } from "../operations/accounts.ts";
import { ProblemError } from "../problem-error.ts";
import type { UserRecord } from "../store/people-schema.ts";
import type { Identity } from "./oidc.ts";

/**
 * Known by issuer and subject alone: a name that somebody chose elsewhere never leads to an account made here.
 * @returns null for whom the organisation gives no role here; whoever was signed in as that account is no more.
 */
export async function accountOf(change: Change, { subject, name, role }: Identity): Promise<UserRecord | null> {
  const known = await change.tx.users.find({ oidc_subject: subject });
  if (known?.disabled_at !== undefined && known.disabled_at !== null)
    throw new ProblemError("SIGN_IN_REFUSED", "This account is disabled.");
  if (role === null) {
    if (known) await signOut(change, known);
    return null;
  }
  if (known) return followRole(change, known, role);
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

/**
 * Also down from the only admin, which nobody here may do: whom the organisation no longer trusts must not stay admin because
 * there is no other. Sessions that are open elsewhere have the new role with their next request.
 */
async function followRole({ tx, tell }: Change, user: UserRecord, role: Role): Promise<UserRecord> {
  if (role === user.role) return user;
  await tx.users.update(user.id, { role });
  const isAnyAdmin = (await tx.users.list()).some((one) => one.role === "admin" && one.disabled_at === null);
  const warning = isAnyAdmin ? "" : ". Nobody is admin now: `user role NAME admin` on the hub's machine makes one";
  await tell(
    "user.role-changed",
    user.name,
    `the organisation made ${user.name} ${role}, who was ${user.role}${warning}`,
    { from: user.role, to: role },
  );
  return { ...user, role };
}

async function signOut({ tx, tell }: Change, user: UserRecord): Promise<void> {
  await tx.sessions.endOf(user.id);
  await tell("user.signed-out", user.name, `the organisation gives ${user.name} no role here any more`);
}
