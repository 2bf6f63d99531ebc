// Open Inference Protocol v2 over HTTP: the calls the probe makes, every one with a deadline, none ever throwing but for an abort.
import { InferResponse, ModelMetadata, ModelStats } from "@context-edge/protocol";
import { z } from "zod";
import { headerOf, type Http, type HttpReply, type HttpRequest } from "../http.ts";
import { BINARY_EXTENSION, binaryResponse, HEADER_LENGTH, type InferBody } from "./binary-tensors.ts";
import type { Counters } from "./probe.ts";

export type Got<T> = { ok: true; value: T } | { ok: false; detail: string };

export interface Answered {
  response: InferResponse;
  /** From the request to the last byte of the answer; reading it is not the service's time. */
  elapsedMs: number;
}

export interface Server {
  /** `triton 2.55.0` */
  name: string;
  speaksBinary: boolean;
}

export interface OipClient {
  /** Of the server and of this model. */
  isReady(deadlineMs: number, signal: AbortSignal): Promise<Got<true>>;
  server(deadlineMs: number, signal: AbortSignal): Promise<Got<Server>>;
  metadata(deadlineMs: number, signal: AbortSignal): Promise<Got<ModelMetadata>>;
  infer(body: InferBody, deadlineMs: number, signal: AbortSignal): Promise<Got<Answered>>;
  counters(deadlineMs: number, signal: AbortSignal): Promise<Got<Counters>>;
}

/** `GET /v2` */
const ServerMetadata = z.object({
  name: z.string(),
  version: z.string().default(""),
  extensions: z.array(z.string()).default([]),
});
/** MLServer and KServe answer so; Triton's health has an empty body. */
const Readiness = z.object({ ready: z.boolean() });
/** `POST /v2/repository/index` of Triton. */
const Index = z.array(z.object({ name: z.string(), reason: z.string().optional() }));

/** @param metricsUrl Prometheus page of the service, asked when it has no statistics */
export function oipClient(
  http: Http,
  inferenceUrl: string,
  servedName: string,
  metricsUrl: string | undefined,
): OipClient {
  const model = encodeURIComponent(servedName);
  type Asking = Pick<HttpRequest, "json" | "bytes" | "headers" | "deadlineMs" | "signal">;
  const ask = async (path: string, request: Asking): Promise<Got<HttpReply>> => {
    const url = new URL(path, inferenceUrl).href;
    const isRead = request.json === undefined && request.bytes === undefined;
    const reply = await http.request({ method: isRead ? "GET" : "POST", url, ...request });
    if (!reply.ok) return { ok: false, detail: reply.message };
    if (reply.status === 200) return { ok: true, value: reply };
    return { ok: false, detail: `${path} answered ${reply.status}: ${reply.body.slice(0, 500)}` };
  };
  const call = async <T>(path: string, schema: z.ZodType<T>, request: Asking): Promise<Got<T>> => {
    const reply = await ask(path, request);
    return reply.ok ? read(path, schema, parseJson(reply.value.body)) : reply;
  };

  /** @returns whether a readiness answer means no, whichever of the two forms it has */
  const refusal = async (path: string, request: Asking): Promise<{ status: number; detail: string } | null> => {
    const url = new URL(path, inferenceUrl).href;
    const reply = await http.request({ method: "GET", url, ...request });
    if (!reply.ok) return { status: 0, detail: reply.message };
    const said = Readiness.safeParse(parseJson(reply.body));
    if (reply.status === 200 && (!said.success || said.data.ready)) return null;
    return { status: reply.status, detail: `${path} answered ${reply.status}: ${reply.body.slice(0, 500)}` };
  };
  /** Why the server could not load the model, in TensorRT's own words; empty when it has no repository or says nothing. */
  const loadFailure = async (request: Asking): Promise<string> => {
    const index = await call("/v2/repository/index", Index, { ...request, json: { ready: false } });
    const found = index.ok ? index.value.find(({ name }) => name === servedName) : undefined;
    return found?.reason ?? "";
  };

  const fromMetrics = async (url: string, deadlineMs: number, signal: AbortSignal): Promise<Got<Counters>> => {
    const { readNvInference } = await import("./prometheus.ts");
    const reply = await http.request({ method: "GET", url, deadlineMs, signal });
    if (!reply.ok) return { ok: false, detail: reply.message };
    const counters = reply.status === 200 ? readNvInference(reply.body, servedName) : null;
    return counters ? { ok: true, value: counters } : { ok: false, detail: `${url} does not know ${servedName}` };
  };

  return {
    async isReady(deadlineMs, signal) {
      const request = { deadlineMs, signal };
      const server = await refusal("/v2/health/ready", request);
      // A server that is up tells why its model is not; one that is down is not asked twice.
      const own = server ?? (await refusal(`/v2/models/${model}/ready`, request));
      if (own === null) return { ok: true, value: true };
      // Servers without that path: their metadata tells.
      if (server === null && (own.status === 404 || own.status === 405)) return { ok: true, value: true };
      const reason = own.status === 0 ? "" : await loadFailure(request);
      return { ok: false, detail: [reason, own.detail].filter((words) => words !== "").join("; ") };
    },
    async server(deadlineMs, signal) {
      const answer = await call("/v2", ServerMetadata, { deadlineMs, signal });
      if (!answer.ok) return answer;
      const { name, version, extensions } = answer.value;
      return {
        ok: true,
        value: { name: `${name} ${version}`.trim(), speaksBinary: extensions.includes(BINARY_EXTENSION) },
      };
    },
    metadata: (deadlineMs, signal) => call(`/v2/models/${model}`, ModelMetadata, { deadlineMs, signal }),
    async infer(body, deadlineMs, signal) {
      const path = `/v2/models/${model}/infer`;
      const startedAt = performance.now();
      const reply = await ask(path, { ...body, deadlineMs, signal });
      const elapsedMs = performance.now() - startedAt;
      if (!reply.ok) return reply;
      const { headers, bytes, body: text } = reply.value;
      const headerLength = Number(headerOf(headers, HEADER_LENGTH));
      const response = headerLength > 0 ? binaryResponse(bytes, headerLength) : parseJson(text);
      const got = read(path, InferResponse, response);
      return got.ok ? { ok: true, value: { response: got.value, elapsedMs } } : got;
    },
    async counters(deadlineMs, signal) {
      const stats = await call(`/v2/models/${model}/stats`, ModelStats, { deadlineMs, signal });
      if (!stats.ok) return metricsUrl === undefined ? stats : fromMetrics(metricsUrl, deadlineMs, signal);
      const all = stats.value.model_stats.map((one) => one.inference_stats);
      const predictions = all.reduce((sum, one) => sum + one.success.count, 0);
      const errors = all.reduce((sum, one) => sum + one.fail.count, 0);
      const ns = all.reduce((sum, one) => sum + one.success.ns, 0);
      return { ok: true, value: { predictions, errors, avgMs: predictions === 0 ? null : ns / predictions / 1e6 } };
    },
  };
}

function read<T>(path: string, schema: z.ZodType<T>, body: unknown): Got<T> {
  const parsed = schema.safeParse(body);
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, detail: `${path} answered something unexpected` };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
