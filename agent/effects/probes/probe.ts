// How the agent looks at the inference service: is it ready, what does it serve, does it answer rightly, and how fast.
import type { Golden, Measurement, ProbePolicy } from "@context-edge/protocol";
import type { GoldenFinding } from "./golden.ts";

export interface Look {
  ready: boolean;
  /** sha256 of the served file, when the service says so. */
  digest: string | null;
  /** Why it is not ready, in the service's words. */
  detail: string;
  /** Its process ends again and again, in words. */
  crash?: string;
}

/** Cumulative since the service loaded the model. */
export interface Counters {
  predictions: number;
  errors: number;
  avgMs: number | null;
}

export interface Probing {
  policy: ProbePolicy;
  /** Inputs with known answers; also the most natural inputs to time. */
  golden: Golden | null;
}

export interface Probe {
  look(signal: AbortSignal): Promise<Look>;
  /** @returns null when this probe cannot ask for answers. */
  checkGolden(probing: Probing, signal: AbortSignal): Promise<GoldenFinding | null | undefined>;
  /** Warms up, then measures. @returns null when this probe cannot measure. */
  measure(probing: Probing, signal: AbortSignal): Promise<Measurement | null>;
  /** One ordinary request, for the soak. */
  isAnswering(probing: Probing, signal: AbortSignal): Promise<boolean>;
  counters(signal: AbortSignal): Promise<Counters | null>;
  /** Requests this agent sent since the last reload: they are no predictions. */
  ownRequests(): number;
  /** Zero after a reload; after a restart of the agent what the journal remembers. */
  setOwnRequests(count: number): void;
}
