// `hub user link|add|list|disable|enable|role|reset`: accounts from the hub's own machine, also beside a running hub and when nobody can sign in.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { Password, Role, UserName } from "@context-edge/protocol";
import { keepPasswords } from "../auth/passwords.ts";
import {
  changeUser,
  createUser,
  findUser,
  makePasswordLink,
  resetUser,
  setupUrl,
  userView,
} from "../operations/accounts.ts";
import { usageOf } from "../help.ts";
import { type Command, EXIT, type Invocation } from "./command.ts";
import { atStore, readWords, table } from "./words.ts";

const USAGE = usageOf("user");

export const user: Command = async (invocation) => {
  const { fail, say } = invocation;
  const read = readWords(invocation.words, ["role", "password-file"]);
  const [what, name, role, ...rest] = read?.plain ?? [];
  const usage = () => {
    fail(USAGE);
    return EXIT.usage;
  };
  if (!read || rest.length > 0) return usage();
  const isChange = what === "disable" || what === "enable" || what === "reset" || what === "role";
  if (what !== "add" && Object.keys(read.flags).length > 0) return usage();
  if (what === "list" && name === undefined) return list(invocation);
  if (what === "link" && name === undefined) return link(invocation);
  if (what === "add" && name !== undefined && role === undefined) return add(invocation, name, read.flags);
  if (!isChange || name === undefined || (role !== undefined) !== (what === "role")) return usage();
  const wanted = Role.safeParse(role);
  if (what === "role" && !wanted.success) return usage();
  return atStore(invocation, async ({ store, change }) => {
    const found = await findUser(store, { name: name.toLowerCase() });
    if (what === "reset") {
      const secret = await change((made) => resetUser(made, found));
      say(`${found.name} is signed out everywhere. This link sets a new password, once, within 24 hours:`);
      say(setupUrl(invocation.config, secret));
      return EXIT.done;
    }
    await change((made) =>
      changeUser(made, found, what === "role" ? { role: wanted.data } : { disabled: what === "disable" }),
    );
    say(what === "role" ? `${found.name} is ${role} now.` : `${found.name} is ${what}d.`);
    return EXIT.done;
  });
};

/** For the very first account: the hub itself shows such a link on a terminal only. */
function link(invocation: Invocation): Promise<number> {
  const { config, fail, say } = invocation;
  return atStore(invocation, async ({ store, change }) => {
    if ((await store.users.count()) > 0) {
      fail("There are accounts already. For a new link to one of them say: user reset NAME");
      return EXIT.wrong;
    }
    const secret = await change(async (made) => {
      await made.tell("setup.link-printed", "setup", `${made.actor} printed a link that makes the first admin`);
      return makePasswordLink(made, null);
    });
    fail("This link makes the first account, an admin's, once, within 24 hours:");
    say(setupUrl(config, secret));
    if (config.auth.kind !== "accounts") fail("Accounts can sign in only when the hub runs with HUB_AUTH=accounts.");
    return EXIT.done;
  });
}

function list(invocation: Invocation): Promise<number> {
  return atStore(invocation, async ({ store }) => {
    const users = (await store.users.list()).map(userView);
    const rows = users.map((one) => [
      one.name,
      one.role,
      one.signs_in_with,
      one.created_at.slice(0, 10),
      one.disabled_at === null ? "" : "disabled",
    ]);
    for (const line of table([["NAME", "ROLE", "SIGNS IN WITH", "SINCE", ""], ...rows])) invocation.say(line);
    return EXIT.done;
  });
}

async function add(invocation: Invocation, wish: string, flags: Record<string, string>): Promise<number> {
  const { config, fail, say } = invocation;
  const name = UserName.safeParse(wish);
  const role = Role.safeParse(flags["role"]);
  if (!name.success || !role.success) {
    fail(name.success ? USAGE : (name.error.issues[0]?.message ?? USAGE));
    return EXIT.usage;
  }
  const given = await passwordFrom(flags["password-file"], name.data);
  const password = given === "" ? undefined : Password.safeParse(given);
  if (password && !password.success) {
    fail(password.error.issues[0]?.message ?? "This password will not do.");
    return EXIT.wrong;
  }
  const password_hash = password ? await keepPasswords().hash(password.data) : null;
  return atStore(invocation, async ({ change }) => {
    const secret = await change(async (made) => {
      const account = await createUser(made, { name: name.data, role: role.data, password_hash });
      return password_hash === null ? makePasswordLink(made, account) : null;
    });
    say(`${name.data} is ${role.data}.`);
    if (secret !== null) {
      say("This link sets the password, once, within 24 hours:");
      say(setupUrl(config, secret));
    }
    if (config.auth.kind !== "accounts") fail("Accounts can sign in only when the hub runs with HUB_AUTH=accounts.");
    return EXIT.done;
  });
}

/** From a file, from `-` (stdin), or asked on a terminal. @returns "" where a link is wanted instead. */
async function passwordFrom(file: string | undefined, name: string): Promise<string> {
  if (file === "-") {
    let text = "";
    for await (const chunk of process.stdin) text += String(chunk);
    return text.replace(/\r?\n$/, "");
  }
  if (file !== undefined) return (await readFile(file, "utf8")).replace(/\r?\n$/, "");
  if (!process.stdin.isTTY || !process.stdout.isTTY) return "";
  process.stdout.write(`Password for ${name} (leave empty to get a link instead): `);
  // What is typed goes nowhere.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  const typed = await lines.question("");
  lines.close();
  process.stdout.write("\n");
  return typed;
}
