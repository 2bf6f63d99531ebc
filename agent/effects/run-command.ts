// Runs a configured program without a shell, with a deadline and a bounded memory of what it said.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface CommandEnd {
  /** Null when it was ended by the deadline or another signal, or could not be started. */
  exitCode: number | null;
  /** What ended it when it did not end by itself: a signal that was not ours. */
  signal: NodeJS.Signals | null;
  /** It was ended by the deadline. */
  isLate: boolean;
  stdout: string;
  stderr: string;
}

const KEPT_BYTES = 64 * 1024;

export function runCommand(
  argv: readonly string[],
  options: {
    deadlineMs: number;
    environment: Record<string, string>;
    signal: AbortSignal;
    /** Lines of its standard output as they come. */
    line?: (text: string) => void;
  },
): Promise<CommandEnd> {
  return new Promise((resolve) => {
    const [program = "", ...rest] = argv;
    // A group of its own: what a script started must not outlive it, nor keep its output open.
    const child = spawn(program, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.environment },
      detached: true,
    });
    const deadline = AbortSignal.timeout(options.deadlineMs);
    const ended = AbortSignal.any([options.signal, deadline]);
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It was over already.
      }
    };
    if (ended.aborted) kill();
    ended.addEventListener("abort", kill, { once: true });
    const said = { stdout: "", stderr: "" };
    const keep = (where: "stdout" | "stderr") => (chunk: Buffer) => {
      said[where] = (said[where] + chunk.toString("utf8")).slice(-KEPT_BYTES);
    };
    child.stdout.on("data", keep("stdout"));
    if (options.line) createInterface({ input: child.stdout }).on("line", options.line);
    child.stderr.on("data", keep("stderr"));
    const finish = (end: CommandEnd) => {
      ended.removeEventListener("abort", kill);
      resolve(end);
    };
    child.once("error", (error) =>
      finish({ exitCode: null, signal: null, isLate: false, ...said, stderr: `${said.stderr}${error.message}` }),
    );
    child.once("close", (exitCode, signal) =>
      finish({ exitCode, signal: ended.aborted ? null : signal, isLate: deadline.aborted, ...said }),
    );
  });
}
