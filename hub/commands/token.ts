// `hub token` and `hub join-token`: create (the secret is printed once), list, revoke; a running hub heeds it at once.
import { CreateJoinTokenRequest, CreateTokenRequest } from "@context-edge/protocol";
import { createJoinToken, createToken, revokeToken } from "../operations/tokens.ts";
import { usageOf } from "../help.ts";
import { type Command, EXIT, type Invocation } from "./command.ts";
import { atStore, readDays, readWords, table, type Words } from "./words.ts";

const FLAGS = { token: ["scope", "expires"], "join-token": ["group", "uses", "expires"] };
type Kind = "token" | "join-token";

export const token: Command = (invocation) => run("token", invocation);
export const joinToken: Command = (invocation) => run("join-token", invocation);

async function run(kind: Kind, invocation: Invocation): Promise<number> {
  const read = readWords(invocation.words, FLAGS[kind]);
  const [what, name, ...rest] = read?.plain ?? [];
  if (read && rest.length === 0) {
    if (what === "list" && name === undefined) return list(kind, invocation);
    // A join token may go without a name of its own: it is named after the day.
    const named = name ?? (kind === "join-token" ? `join-${new Date().toISOString().replaceAll(":", "-")}` : undefined);
    if (what === "create" && named !== undefined) return create(kind, invocation, named, read);
    if (what === "revoke" && name !== undefined) {
      return atStore(invocation, async ({ change }) => {
        await change((made) => revokeToken(made, kind, { name }));
        invocation.say(`${name} is revoked.`);
        return EXIT.done;
      });
    }
  }
  invocation.fail(usageOf(kind));
  return EXIT.usage;
}

async function create(kind: Kind, invocation: Invocation, name: string, { flags }: Words): Promise<number> {
  const { say, fail } = invocation;
  const { scope, group, uses, expires } = flags;
  const expires_days = readDays(expires);
  if (expires_days === null) {
    fail(`--expires is a number of days or hours, such as 90d or 12h, and not "${expires}".\n${usageOf(kind)}`);
    return EXIT.usage;
  }
  if (uses !== undefined && !/^\d+$/.test(uses)) {
    fail(`--uses is a whole number, and not "${uses}".\n${usageOf(kind)}`);
    return EXIT.usage;
  }
  const common = { name, ...(expires_days === undefined ? {} : { expires_days }) };
  const forToken = CreateTokenRequest.safeParse({ ...common, scope });
  const forJoining = CreateJoinTokenRequest.safeParse({
    ...common,
    ...(group === undefined ? {} : { group }),
    ...(uses === undefined ? {} : { uses: Number(uses) }),
  });
  const wish = kind === "token" ? forToken : forJoining;
  if (!wish.success) {
    const issue = wish.error.issues[0];
    const [field = ""] = issue?.path ?? [];
    const where = field === "name" ? "the name" : `--${String(field)}`;
    fail(`${where}: ${issue?.message ?? "is wrong"}\n${usageOf(kind)}`);
    return EXIT.usage;
  }
  return atStore(invocation, async ({ change }) => {
    const { secret, record } = await change(async (made) => {
      if (kind === "token" && forToken.success) return createToken(made, forToken.data);
      return createJoinToken(made, forJoining.data ?? { name });
    });
    // The secret alone goes to stdout, so that it can be piped into a file.
    fail(`${record.name}: this is shown once; the hub keeps only its hash.`);
    say(secret);
    return EXIT.done;
  });
}

function list(kind: Kind, invocation: Invocation): Promise<number> {
  return atStore(invocation, async ({ store }) => {
    const now = new Date().toISOString();
    const state = (one: { revoked_at: string | null; expires_at: string | null }) => {
      if (one.revoked_at !== null) return "revoked";
      return one.expires_at !== null && one.expires_at <= now ? "expired" : "";
    };
    const day = (at: string | null, otherwise: string) => at?.slice(0, 10) ?? otherwise;
    const rows =
      kind === "token"
        ? (await store.tokens.list()).map((one) => [
            one.name,
            `${one.prefix}…`,
            one.scope,
            day(one.expires_at, "never"),
            day(one.last_used, "never"),
            state(one),
          ])
        : (await store.joinTokens.list()).map((one) => [
            one.name,
            `${one.prefix}…`,
            one.group_name ?? "any",
            day(one.expires_at, "never"),
            String(one.uses_left ?? "any"),
            state(one),
          ]);
    const head = kind === "token" ? ["SCOPE", "EXPIRES", "LAST USED"] : ["GROUP", "EXPIRES", "USES LEFT"];
    for (const line of table([["NAME", "SECRET", ...head, ""], ...rows])) invocation.say(line);
    return EXIT.done;
  });
}
