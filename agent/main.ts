// The agent's command line: words and options to a command, one clear line when something is wrong, documented exit codes.
import { parseArgs } from "node:util";
import type { Command, ExitCode } from "./commands/command.ts";
import { loadConfig } from "./config.ts";
import { AgentError, describe } from "./errors.ts";

/** Loaded when called: a status question needs nothing of the agent that runs for months. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  run: async () => (await import("./commands/run.ts")).run,
  once: async () => (await import("./commands/run.ts")).once,
  status: async () => (await import("./commands/status.ts")).status,
  check: async () => (await import("./commands/orders.ts")).check,
  hold: async () => (await import("./commands/orders.ts")).hold,
  rollback: async () => (await import("./commands/orders.ts")).rollback,
  import: async () => (await import("./commands/import.ts")).importFiles,
  diagnose: async () => (await import("./commands/diagnose.ts")).diagnose,
  forget: async () => (await import("./commands/forget.ts")).forget,
};

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
  json: { type: "boolean" },
  hours: { type: "string" },
  reason: { type: "string" },
  release: { type: "boolean" },
  model: { type: "string" },
  out: { type: "string" },
  yes: { type: "boolean" },
} as const;

const USAGE_EXIT = 2;

async function main(argv: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = parsed(argv);
  if (values.help === true) {
    const { help } = await import("./help.ts");
    console.log(help());
    return 0;
  }
  if (values.version === true) {
    const { AGENT_VERSION } = await import("./effects/telemetry/inventory.ts");
    console.log(AGENT_VERSION);
    return 0;
  }
  const [name = "run", ...words] = positionals;
  const load = COMMANDS[name];
  if (!load) throw new AgentError("USAGE", `there is no command "${name}"`, "Try --help.");
  const command = await load();
  return command({
    config: await loadConfig(process.env),
    words,
    options: values,
    say: (sentence, document) => console.log(values.json === true ? JSON.stringify(document, null, 2) : sentence),
  });
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new AgentError("USAGE", describe(error), "Try --help.");
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { code, message, nextStep } =
    error instanceof AgentError ? error : { code: "INTERNAL", message: describe(error), nextStep: "" };
  const { isJournal } = await import("./effects/journal.ts");
  const priority = isJournal(process.env, process.stderr.fd) ? "<3>" : "";
  console.error(`${priority}agent: ${code}: ${message}${nextStep === "" ? "" : ` (${nextStep})`}`);
  process.exitCode = code === "USAGE" || code === "CONFIG" ? USAGE_EXIT : 1;
}
