// What every command has at hand, and how a command's words become typed options: parsed once, at the door.
import type { Command } from "commander";
import { z } from "zod";
import { wrongUse } from "./exits.ts";
import { connectToHub, type HubClient } from "./hub-client.ts";
import { openOutput, type Output, type Streams } from "./output.ts";
import { chooseHub, type Environment } from "./settings.ts";

export interface Desk {
  environment: Environment;
  streams: Streams & { stdin: NodeJS.ReadStream };
  out: Output;
  /** The chosen hub. @throws Failure when none is named. */
  hub: () => HubClient;
}

export interface World {
  environment: Environment;
  streams: Desk["streams"];
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
    const given: unknown = command.opts();
    const { json, hub } = Common.parse(given);
    const desk: Desk = {
      ...world,
      out: openOutput(world.streams, { json }),
      hub: () => {
        const { url, credential } = chooseHub(world.environment, hub);
        return connectToHub(url, credential);
      },
    };
    const parsed = options.safeParse(given);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const flag = String(issue?.path[0] ?? "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      throw wrongUse(`--${flag}: ${issue?.message ?? "is not as expected"}.`);
    }
    await perform(desk, parsed.data, command.args);
  });
}

export const modelPath = (model: string) => `api/v1/models/${encodeURIComponent(model)}/versions`;

/** Examples below a command's help. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText("after", `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}
