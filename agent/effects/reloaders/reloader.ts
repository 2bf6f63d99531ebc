// How the inference service is made to load what the slot link now points to.
import type { ModelName } from "@context-edge/protocol";
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
}

export function reloadFailed(message: string, detail = ""): { ok: false; mishap: Mishap } {
  return {
    ok: false,
    mishap: {
      code: "RELOAD_FAILED",
      message: `the inference service did not load the file: ${message}`,
      nextStep:
        "Read the inference service's own log; a file built for another device or TensorRT version is the usual cause.",
      kind: "passing",
      ...(detail === "" ? {} : { evidence: { detail: detail.slice(-4_000) } }),
    },
  };
}
