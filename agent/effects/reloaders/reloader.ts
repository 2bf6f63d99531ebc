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

export interface Reloader {
  /** `at-once`: after a successful reload the old file is no longer served. `eventually`: the service notices by itself. */
  takes: "at-once" | "eventually";
  reload(reloading: Reloading, signal: AbortSignal): Promise<{ ok: true } | { ok: false; mishap: Mishap }>;
  /** Asked before anything is switched. @returns why a reload could not work now, or null */
  obstacle?(signal: AbortSignal): Promise<Mishap | null>;
  /** @returns in words that the service's process ends again and again; null while nothing speaks for it. */
  isCrashing?(signal: AbortSignal): Promise<string | null>;
}

/** Nothing was touched yet: the device waits and tries again. */
export function notNow(message: string, nextStep: string): Mishap {
  return { code: "RELOADER_UNREACHABLE", message: `nothing was switched: ${message}`, nextStep, kind: "passing" };
}

/** What TensorRT said is told in words a reader can act on, whoever passed it on. */
export function reloadFailed(message: string, detail = ""): { ok: false; mishap: Mishap } {
  const known = explainLoadFailure(`${message}\n${detail}`);
  return {
    ok: false,
    mishap: {
      code: known?.code ?? "RELOAD_FAILED",
      message: `the inference service did not load the file: ${known?.message ?? message}`,
      nextStep:
        known?.nextStep ??
        "Read the inference service's own log; a file built for another device or TensorRT version is the usual cause.",
      kind: "passing",
      ...(detail === "" ? {} : { evidence: { detail: detail.slice(-4_000) } }),
    },
  };
}
