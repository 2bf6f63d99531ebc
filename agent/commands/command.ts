// What every command of the agent's command line has in common: its settings, its words, and how it ends.
import { join, resolve } from "node:path";
import { pino } from "pino";
import type { Config } from "../config.ts";
import { logStream } from "../effects/journal.ts";
import { type ControlReply, type ControlRequest, askAgent } from "../effects/control.ts";

export interface Invocation {
  config: Config;
  /** Words after the command that are no options. */
  words: readonly string[];
  options: Readonly<Record<string, string | boolean | undefined>>;
  /** Prints a sentence, or with `--json` the document. */
  say: (sentence: string, document: unknown) => void;
}

export type Command = (invocation: Invocation) => Promise<ExitCode>;

/** Documented in `--help`. */
export const EXIT = { done: 0, wrong: 1, usage: 2, noAgent: 3, refused: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function ownDirectory(config: Config): string {
  return join(resolve(config.AGENT_MODELS_DIR), ".agent");
}

export function ask({ config }: Invocation, request: ControlRequest): Promise<ControlReply | null> {
  return askAgent(ownDirectory(config), request);
}

/** Tells the running agent, or what to do when there is none. */
export async function tell(
  invocation: Invocation,
  request: ControlRequest,
  done: (data: unknown) => string,
): Promise<ExitCode | "no-agent"> {
  const reply = await ask(invocation, request);
  if (!reply) return "no-agent";
  if (!reply.ok) {
    const nextStep = reply.next_step === "" ? "" : ` ${reply.next_step}`;
    invocation.say(`${reply.code}: ${reply.message}.${nextStep}`, reply);
    return EXIT.refused;
  }
  invocation.say(done(reply.data), { ok: true, data: reply.data });
  return EXIT.done;
}

export function noAgent({ config, say }: Invocation): ExitCode {
  const message = `no agent runs on ${resolve(config.AGENT_MODELS_DIR)}`;
  say(`NO_AGENT: ${message}. Start it: systemctl start context-edge-agent`, { ok: false, code: "NO_AGENT", message });
  return EXIT.noAgent;
}

export function agentLog(config: Config, level: string = config.AGENT_LOG_LEVEL) {
  return pino({ level, base: { device: config.AGENT_DEVICE_ID } }, logStream(process.env));
}
