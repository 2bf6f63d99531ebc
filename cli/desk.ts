// What every command has at hand, and how a command's words become typed options: parsed once, at the door.
import type { Command } from "commander";
import { z } from "zod";
import { wrongUse } from "./exits.ts";
import { connectToHub, type HubClient } from "./hub-client.ts";
import { ARGUMENTS } from "./names.ts";
import { openOutput, type Output, type Streams } from "./output.ts";
import { read } from "./plain-words.ts";
import { chooseHub, type Environment } from "./settings.ts";

export interface World {
  environment: Environment;
  streams: Streams & { stdin: NodeJS.ReadStream };
  /** What Ctrl-C says from here on: what is left undone, and how to go on. */
  ifStopped(sentence: string): void;
}

export interface Desk extends World {
  out: Output;
  /** The chosen hub. @throws Failure when none is named. */
  hub: () => HubClient;
}

const Common = z.object({ json: z.boolean().default(false), hub: z.string().optional() });

/** Options that every command takes. */
export function withCommon(command: Command): Command {
  return command
    .option("--json", "print one JSON document")
    .option("--hub <url>", "the hub to ask (else CONTEXT_EDGE_URL, else the newest login)");
}

/** Binds a command to what it does. */
export function act<T extends z.ZodType>(
  command: Command,
  world: World,
  options: T,
  perform: (desk: Desk, options: z.infer<T>, words: readonly string[]) => Promise<void>,
): Command {
  return withCommon(command).action(async () => {
    const given: Record<string, unknown> = command.opts();
    refuseEmpty(command, given);
    const { json, hub } = Common.parse(given);
    const desk: Desk = {
      ...world,
      out: openOutput(world.streams, { json }),
      hub: () => {
        const { url, credential } = chooseHub(world.environment, hub);
        return connectToHub(url, credential);
      },
    };
    checkArguments(command);
    const parsed = read(options, given);
    if (!parsed.ok) throw wrongUse(`${flagOf(String(parsed.where[0] ?? ""))}: ${parsed.wrong}.`);
    await perform(desk, parsed.value, command.args);
  });
}

/** `maxBad` → `--max-bad`. */
const flagOf = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** `devices "$DEVICE"` with a variable that was never set must not mean all devices. */
function refuseEmpty(command: Command, options: Readonly<Record<string, unknown>>): void {
  const isEmpty = (value: unknown) => [value].flat().some((one) => typeof one === "string" && one.trim() === "");
  const option = Object.keys(options).find((name) => isEmpty(options[name]));
  const argument = command.registeredArguments.find((_one, at) => isEmpty(command.args[at]));
  const empty = option === undefined ? argument && `<${argument.name()}>` : flagOf(option);
  if (empty === undefined) return;
  throw wrongUse(`${empty} is empty.`, "Was a variable not set? Give it a value, or leave it out.");
}

function checkArguments(command: Command): void {
  for (const [at, argument] of command.registeredArguments.entries()) {
    const schema = ARGUMENTS[argument.name()];
    const word = command.args[at];
    const parsed = schema && word !== undefined ? read(schema, word) : undefined;
    if (parsed && !parsed.ok) throw wrongUse(`"${word}" is no ${argument.name()}: ${parsed.wrong}.`);
  }
}

export const modelPath = (model: string) => `api/v1/models/${encodeURIComponent(model)}/versions`;

/** Examples below a command's help. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText("after", `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}
