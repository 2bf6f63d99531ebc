// `users`: accounts of people: list, add, change the role, disable and enable, and a new link for who forgot the password.
import { Argument, Option, type Command } from "commander";
import { CreateUserRequest, Role } from "@context-edge/protocol";
import { z } from "zod";
import { User, UserWithLink } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import { EXIT, Failure, wrongUse } from "../exits.ts";
import type { HubClient } from "../hub-client.ts";
import { read } from "../plain-words.ts";
import { readSecret } from "../secret-input.ts";

export function addUsers(program: Command, world: World): void {
  const users = program.command("users").description("accounts of people: list, add, disable, … (admins)");
  act(users, world, z.object({}), list);
  examples(users, "context-edge users", "context-edge users add grace --role engineer");

  const add = users
    .command("add")
    .argument("<name>", "how the person signs in")
    .description("make an account; prints the link with which the person chooses a password")
    .addOption(new Option("--role <role>", "what the person may do").choices(Role.options).makeOptionMandatory())
    .option("--password-stdin", "read a password from standard input instead");
  act(add, world, AddOptions, addUser);
  examples(add, "context-edge users add grace --role engineer");

  const role = users
    .command("role")
    .argument("<user>", "whose")
    .addArgument(new Argument("<role>", "from now on").choices(Role.options))
    .description("change what a person may do");
  act(role, world, z.object({}), (desk, _options, [name = "", wanted = ""]) =>
    change(desk, name, { role: wanted }, (user) => `${user.name} is ${user.role} now.`),
  );
  examples(role, "context-edge users role grace admin");

  for (const verb of ["disable", "enable"] as const) {
    const command = users.command(verb).argument("<user>", "whose").description(DOES[verb]);
    act(command, world, z.object({}), (desk, _options, [name = ""]) =>
      change(desk, name, { disabled: verb === "disable" }, (user) => `${user.name} is ${verb}d.`),
    );
    examples(command, `context-edge users ${verb} grace`);
  }

  const reset = users
    .command("reset")
    .argument("<user>", "whose")
    .description("sign a person out everywhere and print a link for a new password");
  act(reset, world, z.object({}), async (desk, _options, [name = ""]) => {
    const hub = desk.hub();
    const reply = await hub.send(UserWithLink, "POST", `${await pathOf(hub, name)}/reset`);
    desk.out.result(reply, [`${reply.user.name} is signed out everywhere.`, ...linkLines(reply.setup_link)]);
  });
  examples(reset, "context-edge users reset grace");
}

const DOES = {
  disable: "sign a person out at once and let them in no more; the name stays taken",
  enable: "let a disabled person sign in again",
};
const AddOptions = z.object({ role: Role, passwordStdin: z.boolean().default(false) });

async function list({ hub, out }: Desk): Promise<void> {
  const all = await hub().all(User, "api/v1/users");
  const rows = all.map((one) => [
    one.name,
    one.role,
    one.signs_in_with,
    out.when(one.created_at),
    one.disabled_at === null ? "" : out.tone("dim", "disabled"),
  ]);
  const lines = out.table(["NAME", "ROLE", "SIGNS IN WITH", "SINCE", "STATE"], rows);
  out.result(all, all.length > 0 ? lines : ["Nobody has an account."]);
}

async function addUser(
  desk: Desk,
  { role, passwordStdin }: z.infer<typeof AddOptions>,
  [name = ""]: readonly string[],
): Promise<void> {
  const wish = { name, role, ...(passwordStdin ? { password: await readSecret(desk) } : {}) };
  const body = read(CreateUserRequest, wish);
  if (!body.ok) throw wrongUse(`${String(body.where[0] ?? "the account")}: ${body.wrong}.`);
  const reply = await desk.hub().send(UserWithLink, "POST", "api/v1/users", body.value);
  desk.out.result(reply, [`${reply.user.name} is ${reply.user.role}.`, ...linkLines(reply.setup_link)]);
}

const linkLines = (link: string | null) =>
  link === null ? [] : ["This link sets the password, once, within 24 hours:", `  ${link}`];

async function change(desk: Desk, name: string, wish: object, said: (user: User) => string): Promise<void> {
  const hub = desk.hub();
  const user = await hub.send(User, "PATCH", await pathOf(hub, name), wish);
  desk.out.result(user, [said(user)]);
}

async function pathOf(hub: HubClient, named: string): Promise<string> {
  const all = await hub.all(User, "api/v1/users");
  const user = all.find(({ id, name }) => id === named || name === named.toLowerCase());
  if (user) return `api/v1/users/${encodeURIComponent(user.id)}`;
  throw new Failure(EXIT.refused, `There is no account ${named}.`, {
    code: "USER_UNKNOWN",
    nextStep: "See which there are: context-edge users",
  });
}
