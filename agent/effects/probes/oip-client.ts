// Open Inference Protocol v2 over HTTP: the five calls the probe makes, every one with a deadline, none ever throwing but for an abort.
import { InferResponse, ModelMetadata, ModelStats, type Tensor } from "@context-edge/protocol";
import type { z } from "zod";
import type { Http } from "../http.ts";
import type { Counters } from "./probe.ts";

export type Got<T> = { ok: true; value: T } | { ok: false; detail: string };

export interface OipClient {
  isReady(deadlineMs: number, signal: AbortSignal): Promise<Got<true>>;
  metadata(deadlineMs: number, signal: AbortSignal): Promise<Got<ModelMetadata>>;
  infer(inputs: readonly Tensor[], deadlineMs: number, signal: AbortSignal): Promise<Got<InferResponse>>;
  counters(deadlineMs: number, signal: AbortSignal): Promise<Got<Counters>>;
}

export function oipClient(http: Http, inferenceUrl: string, servedName: string): OipClient {
  const model = encodeURIComponent(servedName);
  const call = async <T>(
    path: string,
    schema: z.ZodType<T>,
    request: { json?: unknown; deadlineMs: number; signal: AbortSignal },
  ): Promise<Got<T>> => {
    const url = new URL(path, inferenceUrl).href;
    const reply = await http.request({ method: request.json === undefined ? "GET" : "POST", url, ...request });
    if (!reply.ok) return { ok: false, detail: reply.message };
    if (reply.status !== 200)
      return { ok: false, detail: `${path} answered ${reply.status}: ${reply.body.slice(0, 500)}` };
    const parsed = schema.safeParse(parseJson(reply.body));
    return parsed.success
      ? { ok: true, value: parsed.data }
      : { ok: false, detail: `${path} answered something unexpected` };
  };

  return {
    async isReady(deadlineMs, signal) {
      // Triton answers with an empty body, others with JSON: the status alone counts.
      const url = new URL("/v2/health/ready", inferenceUrl).href;
      const reply = await http.request({ method: "GET", url, deadlineMs, signal });
      if (!reply.ok) return { ok: false, detail: reply.message };
      return reply.status === 200 ? { ok: true, value: true } : { ok: false, detail: `ready answered ${reply.status}` };
    },
    metadata: (deadlineMs, signal) => call(`/v2/models/${model}`, ModelMetadata, { deadlineMs, signal }),
    infer: (inputs, deadlineMs, signal) =>
      call(`/v2/models/${model}/infer`, InferResponse, { json: { inputs }, deadlineMs, signal }),
    async counters(deadlineMs, signal) {
      const stats = await call(`/v2/models/${model}/stats`, ModelStats, { deadlineMs, signal });
      if (!stats.ok) return stats;
      const all = stats.value.model_stats.map((one) => one.inference_stats);
      const predictions = all.reduce((sum, one) => sum + one.success.count, 0);
      const errors = all.reduce((sum, one) => sum + one.fail.count, 0);
      const ns = all.reduce((sum, one) => sum + one.success.ns, 0);
      return { ok: true, value: { predictions, errors, avgMs: predictions === 0 ? null : ns / predictions / 1e6 } };
    },
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
