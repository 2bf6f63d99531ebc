// Starts the hub, or runs one of its commands: settings from the environment, one line when it listens, and an orderly end.
import { buildApp } from "./app.ts";
import { firstAdminLink } from "./auth/first-start.ts";
import type { Command } from "./commands/command.ts";
import { cautionsOf } from "./cautions.ts";
import { type HubConfig, readConfig } from "./config.ts";
import { drain } from "./drain.ts";
import { type CommandName, helpOf, isCommand } from "./help.ts";
import { type Hub, openHub } from "./hub.ts";
import { isJournal } from "./observe/log.ts";
import { serviceManager } from "./service-manager.ts";
import { StoreRefusal } from "./store/refusal.ts";

/** Connections that may wait to be accepted: after a restart the whole fleet is at the door at once. */
const CONNECTION_QUEUE = 16_384;

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    const [first = ""] = argv;
    process.stdout.write(helpOf(isCommand(first) ? first : undefined));
    return 0;
  }
  const configured = readConfig(process.env);
  if (!configured.ok) {
    fail(`The hub cannot start. ${configured.reason}`);
    return 2;
  }
  const { config } = configured;
  const [name, ...words] = argv;
  if (name !== undefined) return runCommand(name, words, config);
  const hub = await openHub(config);
  const app = await buildApp(hub);
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(signal));
  });
  try {
    const address = await app.listen({ host: config.host, port: config.port, backlog: CONNECTION_QUEUE });
    hub.log.info({ address, auth: config.auth.kind, data: config.dataDir }, "the hub listens");
    for (const caution of cautionsOf(config)) hub.log.warn(caution);
    await tellFirstStart(hub);
    if (hub.keys.release.length === 0)
      hub.log.warn("no release keys are configured: signed versions cannot be registered");
    const stopping = new AbortController();
    const status = () => `listens on ${address}; ${hub.presence.held()} polls held`;
    const sinceRoundMs = () => hub.conductor.sinceRoundMs();
    const telling = serviceManager(process.env, process.pid)?.keepTelling(
      { sinceRoundMs, status, log: hub.log },
      stopping.signal,
    );
    hub.log.info({ signal: await stopped }, "the hub stops");
    stopping.abort();
    await telling;
    await drain(hub);
    return 0;
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (!isTaken) throw error;
    fail(`The hub cannot start: port ${config.port} on ${config.host} is taken. Set HUB_PORT to another.`);
    return 1;
  } finally {
    await app.close();
    await hub.close();
  }
}

/** To stderr, and for the journal as what it is: an error. */
function fail(line: string): void {
  process.stderr.write(`${isJournal(process.env, process.stderr.fd) ? "<3>" : ""}${line}\n`);
}

/** Whoever reads the link first becomes admin: it is for a person at a terminal, and for no log and no journal. */
async function tellFirstStart(hub: Hub): Promise<void> {
  if (hub.config.auth.kind !== "accounts" || (await hub.store.users.count()) > 0) return;
  if (!process.stderr.isTTY) {
    hub.log.warn("nobody has an account yet: the command `user link` prints a link that makes the first one");
    return;
  }
  const link = await firstAdminLink(hub);
  if (link !== null)
    process.stderr.write(`Nobody has an account yet. Make the first one within 24 hours:\n  ${link}\n`);
}

/** Loaded when called: none of them needs the server. */
const COMMANDS: Record<CommandName, () => Promise<Command>> = {
  artifacts: async () => (await import("./commands/artifacts.ts")).artifacts,
  audit: async () => (await import("./commands/audit.ts")).audit,
  backup: async () => (await import("./commands/backup.ts")).backup,
  user: async () => (await import("./commands/user.ts")).user,
  token: async () => (await import("./commands/token.ts")).token,
  migrate: async () => (await import("./commands/migrate.ts")).migrate,
  restore: async () => (await import("./commands/restore.ts")).restore,
  "join-token": async () => (await import("./commands/token.ts")).joinToken,
};

async function runCommand(name: string, words: readonly string[], config: HubConfig): Promise<number> {
  if (!isCommand(name)) {
    process.stderr.write(`There is no command "${name}". See: npm run hub -- --help\n`);
    return 2;
  }
  const command = await COMMANDS[name]();
  // `hub audit export | head`: whoever reads no more of it has had enough.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return command({
    config,
    words,
    say: (line) => void process.stdout.write(`${line}\n`),
    fail: (line) => void process.stderr.write(`${line}\n`),
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof StoreRefusal) fail(`${error.message} ${error.nextStep}`);
  else fail(`The hub failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
