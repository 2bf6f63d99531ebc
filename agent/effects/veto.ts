// The veto hook: a program of the operator's that may say "not now", for instance while the line is running.
import type { Logger } from "pino";
import type { Candidate } from "../core/state.ts";
import { runCommand } from "./run-command.ts";

export type Leave = { answer: "go" } | { answer: "later"; retryMs: number };
/** @param what the device is asked about: minutes of load by a build, or the switch itself */
export type AskLeave = (candidate: Candidate, what: "build" | "activate", signal: AbortSignal) => Promise<Leave>;

/** `EX_TEMPFAIL` of sysexits.h: try again later. */
const LATER = 75;
const DEADLINE_MS = 60_000;

export interface Veto {
  /** Undefined: nobody is asked. */
  argv: readonly string[] | undefined;
  retryMs: number;
  log: Logger;
}

/** A hook that fails says neither yes nor no; the device then waits as if it had said "later", and the log says why. */
export function vetoHook({ argv, retryMs, log }: Veto): AskLeave {
  return async ({ model, version, digest }, what, signal) => {
    if (!argv) return { answer: "go" };
    const environment = {
      CONTEXT_EDGE_MODEL: model,
      CONTEXT_EDGE_VERSION: version,
      CONTEXT_EDGE_DIGEST: digest,
      CONTEXT_EDGE_FOR: what,
    };
    const end = await runCommand(argv, { deadlineMs: DEADLINE_MS, environment, signal });
    signal.throwIfAborted();
    if (end.exitCode === 0) return { answer: "go" };
    if (end.exitCode !== LATER) {
      log.warn(
        { exitCode: end.exitCode, stderr: end.stderr.slice(-500) },
        "the veto command failed; asked again later",
      );
    }
    return { answer: "later", retryMs };
  };
}
