// `run` and `once`: the agent itself, as a service or through everything there is to do now.
import { setTimeout as delay } from "node:timers/promises";
import { type Agent, assemble } from "../agent.ts";
import type { Rings } from "../rings.ts";
import { bells } from "../bells.ts";
import { answerOn } from "../effects/control.ts";
import { keepTelling, serviceManager } from "../effects/service-manager.ts";
import { AgentError, describe } from "../errors.ts";
import { statusLine } from "../status/line.ts";
import { runAgent, runOnce } from "../run.ts";
import { controlAnswers } from "./answers.ts";
import { agentLog, type Command, EXIT } from "./command.ts";

/** Steps end within this time after SIGTERM, or the journal recovers them at the next start. */
const STOP_MS = 10_000;

export const run: Command = async ({ config }) => {
  const stop = stopSignal();
  const ring = bells();
  const listeners = new Set<() => void>();
  const rings: Rings = {
    followed: () => ring.ring(),
    wake: () => ring.ring(),
    moved() {
      for (const tell of listeners) tell();
    },
  };
  const agent = await assemble(config, agentLog(config), rings);
  answerOn(agent.lock, controlAnswers(agent, stop));
  const page = config.AGENT_STATUS_PORT === 0 ? null : await openPage(agent, listeners, stop);
  agent.log.info({ models: config.AGENT_MODELS_DIR }, "the agent runs");
  const ended = new AbortController();
  const telling = tellManager(agent, AbortSignal.any([stop, ended.signal]));
  try {
    await runAgent(agent, ring, stop);
  } finally {
    ended.abort();
    await telling;
    await page?.close();
    await agent.lock.release();
  }
  agent.log.info("the agent stopped");
  return EXIT.done;
};

export const once: Command = async ({ config }) => {
  const ring = bells();
  const quiet = { followed: () => ring.ring(), wake: () => ring.ring(), moved: () => undefined };
  const agent = await assemble(config, agentLog(config), quiet);
  try {
    return (await runOnce(agent, ring, stopSignal())) ? EXIT.done : EXIT.wrong;
  } finally {
    await agent.lock.release();
  }
};

async function tellManager(agent: Agent, stop: AbortSignal): Promise<void> {
  const manager = serviceManager(process.env, process.pid);
  const { vitals, log } = agent;
  if (manager) await keepTelling({ manager, vitals, log, status: () => statusLine(agent) }, stop);
}

async function openPage(agent: Agent, listeners: Set<() => void>, stop: AbortSignal) {
  const { config } = agent;
  // Loaded only where a page is wanted: the server is the heaviest part of an idle agent.
  const [{ statusServer }, { statusDocument }] = await Promise.all([
    import("../status/server.ts"),
    import("../status/document.ts"),
  ]);
  const page = statusServer({
    device: config.AGENT_DEVICE_ID,
    statusUrl: config.AGENT_STATUS_URL,
    pin: config.pin,
    document: () => statusDocument(agent, stop),
    subscribe(tell) {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    actions: agent.actions,
    diagnostics: async () => {
      const { diagnosticsOf } = await import("./diagnose.ts");
      return diagnosticsOf(config, await statusDocument(agent, stop));
    },
    now: () => agent.clock.now(),
    isAlive: () => agent.vitals.stuck() === null,
  });
  try {
    await page.listen({ host: config.AGENT_STATUS_HOST, port: config.AGENT_STATUS_PORT });
  } catch (error) {
    const message = `the status page cannot listen on ${config.AGENT_STATUS_HOST}:${config.AGENT_STATUS_PORT}: ${describe(error)}`;
    throw new AgentError("STATUS_PORT", message, "Set AGENT_STATUS_PORT to a free port, or to 0 for no page.");
  }
  return page;
}

export function stopSignal(): AbortSignal {
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
