// One call of `context-edge`, from its words to its exit code.
import { CommanderError } from "commander";
import { isShellAsking, offer } from "./completion/offer.ts";
import type { World } from "./desk.ts";
import { EXIT, type Exit, Failure, wrongUse } from "./exits.ts";
import { reportFailure } from "./output.ts";
import { buildProgram } from "./program.ts";

async function perform(argv: readonly string[], world: World): Promise<Exit> {
  const json = argv.includes("--json");
  const program = buildProgram(world);
  try {
    if (isShellAsking(argv)) await offer(program, argv.slice(2), world);
    else await program.parseAsync(argv, { from: "user" });
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

/** `context-edge audit | head`: who reads has seen enough. That changes nothing about how the command ends. */
const CLOSED_PIPE = new Set(["EPIPE", "ERR_STREAM_DESTROYED"]);

export async function run(): Promise<void> {
  const { stdin, stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!CLOSED_PIPE.has(error.code ?? "")) throw error;
    });
  }
  let stopped = "Stopped. If the hub was told something, that goes on: context-edge status";
  process.once("SIGINT", () => {
    // A progress bar hides the cursor and keeps lines from wrapping: both come back.
    if (stderr.isTTY) stderr.write("\u001b[?25h\u001b[?7h\n");
    stderr.write(`${stopped}\n`);
    process.exit(EXIT.interrupted);
  });
  process.exitCode = await perform(process.argv.slice(2), {
    environment: process.env,
    streams: { stdin, stdout, stderr },
    ifStopped: (sentence) => {
      stopped = sentence;
    },
  });
}
