// How the inference service is made to load what the slot link now points to.
import type { ModelName } from "@context-edge/protocol";
import { explainLoadFailure } from "../../core/engine.ts";
import type { FileRef } from "../../core/state.ts";
import type { Mishap } from "../../core/steps.ts";

export interface Reloading {
  model: ModelName;
  /** Null: the service is to serve nothing. */
  file: FileRef | null;
  /** Absolute path of the slot link. */
  link: string;
  budgetMs: number;
}

export type Reloaded = { ok: true } | { ok: false; mishap: Mishap };

export interface Reloader {
  /** `at-once`: after a successful reload the old file is no longer served. `eventually`: the service notices by itself. */
  takes: "at-once" | "eventually";
  /** Throws only when `signal` aborts. */
  reload(reloading: Reloading, signal: AbortSignal): Promise<Reloaded>;
  /** Asked before anything is switched. @returns why a reload could not work now, or null */
  obstacle?(signal: AbortSignal): Promise<Mishap | null>;
  /** @returns in words that the service's process ends again and again; null while nothing speaks for it. */
  isCrashing?(signal: AbortSignal): Promise<string | null>;
}

/** Nothing was touched yet: the device waits and tries again. */
export function notNow(message: string, nextStep: string): Mishap {
  return { code: "RELOADER_UNREACHABLE", message: `nothing was switched: ${message}`, nextStep, kind: "passing" };
}

/** The service was asked and did not load the file. What TensorRT said is told in words a reader can act on. */
export function reloadFailed(message: string, detail = ""): Extract<Reloaded, { ok: false }> {
  const known = explainLoadFailure(`${message}\n${detail}`);
  return failing({
    code: known?.code ?? "RELOAD_FAILED",
    message: `the inference service did not load the file: ${known?.message ?? withDetail(message, detail)}`,
    nextStep:
      known?.nextStep ??
      "Read the inference service's own log; a file built for another device or TensorRT version is the usual cause.",
    detail,
  });
}

/** The service could not even be asked: the way to it is missing, not the file at fault. */
export function reloaderOff(message: string, nextStep: string, detail = ""): Extract<Reloaded, { ok: false }> {
  return failing({
    code: "RELOAD_FAILED",
    message: `the inference service was not reloaded: ${message}`,
    nextStep,
    detail,
  });
}

function failing({ detail, ...words }: Pick<Mishap, "code" | "message" | "nextStep"> & { detail: string }) {
  const evidence = detail === "" ? {} : { evidence: { detail: detail.slice(-4_000) } };
  return { ok: false as const, mishap: { ...words, kind: "passing" as const, ...evidence } };
}

/** The first words of a service's own belong in the sentence; all of them are in the evidence. */
function withDetail(message: string, detail: string): string {
  const [first = ""] = detail.trim().split("\n");
  return first === "" || message.includes(first) ? message : `${message}: ${first.slice(0, 300)}`;
}
