// Errors with a code, a cause and a next step; and every thrown thing turned into a mishap that decisions can be made on.
import { constants } from "node:os";
import type { Mishap } from "./core/steps.ts";

/** For what stops the program itself; failures of an attempt are mishaps, not errors. */
export class AgentError extends Error {
  readonly code: string;
  readonly nextStep: string;
  constructor(code: string, message: string, nextStep = "") {
    super(message);
    this.name = "AgentError";
    this.code = code;
    this.nextStep = nextStep;
  }
}

/** What the kernel's refusals mean to a reader. */
const DISK_WORDS: Record<string, { code: string; message: string; nextStep: string }> = {
  ENOSPC: { code: "DISK_FULL", message: "the disk is full", nextStep: "Free space in the models directory's disk." },
  EDQUOT: { code: "DISK_FULL", message: "the disk quota is used up", nextStep: "Raise the quota or free space." },
  EROFS: {
    code: "DISK_READ_ONLY",
    message: "the disk is mounted read-only",
    nextStep: "Look at the kernel log: a failing disk is often remounted read-only.",
  },
  EIO: {
    code: "DISK_ERROR",
    message: "the disk reported an error",
    nextStep: "Look at the kernel log; replace the disk.",
  },
  EACCES: {
    code: "DISK_FORBIDDEN",
    message: "the agent may not write there",
    nextStep: "Give the agent's user the models directory.",
  },
  EMFILE: { code: "TOO_MANY_FILES", message: "too many files are open", nextStep: "Raise the agent's file limit." },
};

/** libuv has no name for a used-up quota: it arrives as the code "Unknown system error -122". */
const EDQUOT = -constants.errno.EDQUOT;

export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && "errno" in error && error.errno === EDQUOT) return "EDQUOT";
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

export function isMissing(error: unknown): boolean {
  return errnoOf(error) === "ENOENT";
}

export function mishapOf(error: unknown): Mishap {
  const errno = errnoOf(error);
  const known = errno === undefined ? undefined : DISK_WORDS[errno];
  if (known) return { ...known, kind: "passing", evidence: { detail: describe(error) } };
  return {
    code: "INTERNAL",
    message: `an unexpected failure: ${describe(error)}`,
    nextStep: "Read the agent's log on the device.",
    kind: "passing",
  };
}

export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
