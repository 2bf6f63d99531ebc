// `tokens` and `join-tokens`: list them, make one (its secret is shown once), revoke one.
import { InvalidArgumentError, Option, type Command } from "commander";
import { CreateJoinTokenRequest, CreateTokenRequest, GroupName, TokenScope } from "@context-edge/protocol";
import { z } from "zod";
import { CreatedToken, Token } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import { EXIT, Failure, wrongUse } from "../exits.ts";
import type { Output } from "../output.ts";
import { read } from "../plain-words.ts";
import { parseDays } from "../quantities.ts";

interface Kind {
  path: string;
  command: string;
  request: z.ZodType<object>;
  head: readonly string[];
  row: (token: Token) => readonly string[];
}

const API: Kind = {
  path: "api/v1/tokens",
  command: "tokens",
  request: CreateTokenRequest,
  head: ["SCOPE", "LAST USED"],
  row: ({ scope, last_used }) => [scope ?? "?", last_used ?? "never"],
};
const JOIN: Kind = {
  path: "api/v1/join-tokens",
  command: "join-tokens",
  request: CreateJoinTokenRequest,
  head: ["GROUP", "USES LEFT"],
  row: ({ group, uses_left }) => [group ?? "any", String(uses_left ?? "any")],
};

export function addTokens(program: Command, world: World): void {
  const tokens = program.command("tokens").description("API tokens of scripts: list, create, revoke (admins)");
  const create = tokens
    .command("create")
    .argument("<name>", "what it is for; it stands in the history")
    .description("make an API token; its secret goes to stdout, once")
    .addOption(new Option("-s, --scope <scope>", "what it may do").choices(TokenScope.options).makeOptionMandatory())
    .option("--expires <duration>", "90d, 12h; never unless you say so");
  addCommon(tokens, world, API);
  act(create, world, Wish.extend({ scope: TokenScope }), (desk, { expires, scope }, [name = ""]) =>
    make(desk, API, { name, scope, expires_days: expires }),
  );
  examples(create, "context-edge tokens create ci --scope publisher --expires 90d > token");

  const join = program
    .command("join-tokens")
    .description("tokens that let devices enrol: list, create, revoke (admins)");
  const admit = join
    .command("create")
    .argument("<name>", "what it is for; it stands in the history")
    .description("make a join token; its secret goes to stdout, once")
    .option("-g, --group <group>", "the group that its devices join, whatever they ask for")
    .option("--uses <n>", "how many devices it admits", parseUses)
    .option("--expires <duration>", "7d, 12h; never unless you say so");
  addCommon(join, world, JOIN);
  act(admit, world, JoinWish, (desk, { expires, group, uses }, [name = ""]) =>
    make(desk, JOIN, { name, group, uses, expires_days: expires }),
  );
  examples(admit, "context-edge join-tokens create line-2-batch --group line-2 --uses 50 --expires 7d > join-token");
}

const Wish = z.object({ expires: z.string().transform(parseDays).optional() });
const JoinWish = Wish.extend({ group: GroupName.optional(), uses: z.number().optional() });

function parseUses(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number of devices, 1 or more.");
}

function addCommon(group: Command, world: World, kind: Kind): void {
  const what = kind === API ? "token" : "join-token";
  group.option("--all", "also revoked and expired ones");
  act(group, world, z.object({ all: z.boolean().default(false) }), (desk, { all }) => list(desk, kind, all));
  examples(group, `context-edge ${kind.command}`, `context-edge ${kind.command} --all --json`);

  const revoke = group
    .command("revoke")
    .argument(`<${what}>`, "its name, or its id")
    .description("make one void at once; it stays in the list");
  act(revoke, world, z.object({}), (desk, _options, [name = ""]) => revokeToken(desk, kind, name));
  examples(revoke, `context-edge ${kind.command} revoke ${kind === API ? "ci" : "line-2-batch"}`);
}

interface Wished {
  name: string;
  expires_days: number | undefined;
  scope?: TokenScope;
  group?: string | undefined;
  uses?: number | undefined;
}

/** Checked before it is sent: the hub would speak of fields that nobody typed. */
async function make({ hub, out }: Desk, { path, request }: Kind, wish: Wished): Promise<void> {
  const body = read(request, wish);
  if (!body.ok) throw wrongUse(`${String(body.where[0] ?? "the token")}: ${body.wrong}.`);
  const made = await hub().send(CreatedToken, "POST", path, body.value);
  // The secret alone goes to stdout, so that it can be piped into a file.
  out.note(`${wish.name}: this is shown once; the hub keeps only its hash.`);
  out.result(made, [made.secret]);
}

const stateOf = ({ revoked_at, expires_at }: Token, nowMs: number) => {
  if (revoked_at !== null) return "revoked";
  return expires_at !== null && Date.parse(expires_at) <= nowMs ? "expired" : "";
};

async function list({ hub, out }: Desk, kind: Kind, all: boolean): Promise<void> {
  const found = await hub().all(Token, kind.path);
  const shown = all ? found : found.filter((one) => stateOf(one, out.nowMs()) === "");
  const lines = shown.length > 0 ? table(out, kind, shown) : ["No tokens."];
  out.result(shown, lines);
}

function table(out: Output, { head, row }: Kind, tokens: readonly Token[]): string[] {
  const rows = tokens.map((one) => [
    one.name,
    `${one.prefix}…`,
    ...row(one),
    one.expires_at === null ? "never" : out.when(one.expires_at),
    one.created_by,
    stateOf(one, out.nowMs()),
  ]);
  return out.table(["NAME", "SECRET", ...head, "EXPIRES", "MADE BY", "STATE"], rows);
}

/** By name the one in force is meant: a revoked one of the same name stays in the list. */
async function revokeToken(desk: Desk, { path, command }: Kind, named: string): Promise<void> {
  const hub = desk.hub();
  const found = await hub.all(Token, path);
  const meant =
    found.find(({ id }) => id === named) ?? found.find((one) => one.name === named && one.revoked_at === null);
  if (!meant) {
    throw new Failure(EXIT.refused, `No token ${named} is in force.`, {
      code: "TOKEN_UNKNOWN",
      nextStep: `See which there are: context-edge ${command}`,
    });
  }
  await hub.send(z.unknown(), "DELETE", `${path}/${encodeURIComponent(meant.id)}`);
  desk.out.result({ id: meant.id, name: meant.name, revoked: true }, [`${meant.name} is revoked.`]);
}
