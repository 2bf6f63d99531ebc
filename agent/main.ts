// The agent's command line: run, once or status; one clear line when something is wrong, and an orderly end on SIGTERM.
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { assemble } from "./agent.ts";
import { type Config, loadConfig } from "./config.ts";
import { AgentError, describe } from "./errors.ts";
import { HELP } from "./help.ts";
import { bells, runAgent, runOnce } from "./run.ts";
import { sayStatus } from "./status/say.ts";

/** Steps end within this time after SIGTERM, or the journal recovers them at the next start. */
const STOP_MS = 10_000;

const COMMANDS: Record<string, (config: Config) => Promise<number>> = { run, once, status: sayStatus };

async function main(argv: readonly string[]): Promise<number> {
  const [command = "run", ...rest] = argv;
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  const start = COMMANDS[command];
  if (!start || rest.length > 0)
    throw new AgentError("USAGE", `there is no command "${argv.join(" ")}"`, "Try --help.");
  return start(await loadConfig(process.env));
}

async function run(config: Config): Promise<number> {
  const stop = stopSignal();
  const ring = bells();
  const listeners = new Set<() => void>();
  const agent = await assemble(
    config,
    logger(config),
    () => ring.follow(),
    () => {
      for (const tell of listeners) tell();
    },
  );
  const page = config.AGENT_STATUS_PORT === 0 ? null : await openPage(config, agent, listeners, stop);
  agent.log.info({ models: config.AGENT_MODELS_DIR }, "the agent runs");
  try {
    await runAgent(agent, ring, stop);
  } finally {
    await page?.close();
    await agent.lock.release();
  }
  agent.log.info("the agent stopped");
  return 0;
}

async function once(config: Config): Promise<number> {
  const ring = bells();
  const agent = await assemble(
    config,
    logger(config),
    () => ring.follow(),
    () => undefined,
  );
  try {
    return (await runOnce(agent, ring, stopSignal())) ? 0 : 1;
  } finally {
    await agent.lock.release();
  }
}

async function openPage(
  config: Config,
  agent: Awaited<ReturnType<typeof assemble>>,
  listeners: Set<() => void>,
  stop: AbortSignal,
) {
  // Loaded only where a page is wanted: the server is the heaviest part of an idle agent.
  const [{ statusServer }, { statusDocument }] = await Promise.all([
    import("./status/server.ts"),
    import("./status/document.ts"),
  ]);
  const page = statusServer({
    device: config.AGENT_DEVICE_ID,
    statusUrl: config.AGENT_STATUS_URL,
    document: () => statusDocument(agent, stop),
    subscribe(tell) {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
  });
  try {
    await page.listen({ host: config.AGENT_STATUS_HOST, port: config.AGENT_STATUS_PORT });
  } catch (error) {
    const message = `the status page cannot listen on ${config.AGENT_STATUS_HOST}:${config.AGENT_STATUS_PORT}: ${describe(error)}`;
    throw new AgentError("STATUS_PORT", message, "Set AGENT_STATUS_PORT to a free port, or to 0 for no page.");
  }
  return page;
}

function logger(config: Config) {
  return pino(
    { level: config.AGENT_LOG_LEVEL, base: { device: config.AGENT_DEVICE_ID } },
    pino.destination({ sync: true }),
  );
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      stop.abort();
      // Whatever hangs is left to the journal.
      void delay(STOP_MS, undefined, { ref: false }).then(() => process.exit(0));
    });
  }
  return stop.signal;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { code, message, nextStep } =
    error instanceof AgentError ? error : { code: "INTERNAL", message: describe(error), nextStep: "" };
  console.error(`agent: ${code}: ${message}${nextStep === "" ? "" : ` (${nextStep})`}`);
  process.exitCode = 1;
}
