// One call of `context-edge`, from its words to its exit code.
import { CommanderError } from "commander";
import { addCompletion, namesFor } from "./completion.ts";
import type { World } from "./desk.ts";
import { EXIT, type Exit, Failure, wrongUse } from "./exits.ts";
import { reportFailure } from "./output.ts";
import { buildProgram } from "./program.ts";

async function perform(argv: readonly string[], world: World): Promise<Exit> {
  const json = argv.includes("--json");
  const program = buildProgram(world);
  try {
    addCompletion(program, await namesFor(argv, world.environment));
    await program.parseAsync(argv, { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    const failure = toFailure(error);
    reportFailure(world.streams, failure, { json });
    return failure.exit;
  }
}

function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof CommanderError) {
    const sentence = error.code === "commander.help" ? "Which command?" : error.message.replace(/^error: /, "");
    return wrongUse(sentence.replaceAll("\n", " "), "See context-edge --help, or context-edge COMMAND --help.");
  }
  const cause = error instanceof Error ? error.message : String(error);
  return new Failure(EXIT.refused, `Something went wrong here: ${cause}`, { code: "INTERNAL_CLI" });
}

export async function run(): Promise<void> {
  const { stdin, stdout, stderr } = process;
  // `context-edge audit | head` ends when head has seen enough; that is no error.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.done);
    throw error;
  });
  process.once("SIGINT", () => {
    // Shows the cursor again that a progress bar hides.
    if (stderr.isTTY) stderr.write("\u001b[?25h\n");
    stderr.write("Stopped watching. What the hub was told goes on: context-edge status\n");
    process.exit(EXIT.interrupted);
  });
  process.exitCode = await perform(process.argv.slice(2), {
    environment: process.env,
    streams: { stdin, stdout, stderr },
  });
}
