// Triton's model repository over HTTP (and that of those who speak it): load, unload, and how a model stands.
import { z } from "zod";
import type { Http, HttpReply } from "../http.ts";

export type Standing =
  | { is: "ready" }
  /** Loading or unloading: memory of the GPU is held. */
  | { is: "changing"; state: string }
  | { is: "gone"; reason: string }
  /** The service has no index, or does not list the model; its metadata says whether it is served. */
  | { is: "unlisted"; served: boolean };

export type Answered = { ok: true; reply: HttpReply } | { ok: false; message: string };

export interface TritonRepository {
  ask(verb: "load" | "unload", withinMs: number, signal: AbortSignal): Promise<Answered>;
  standing(signal: AbortSignal): Promise<Standing>;
}

const LOOK_MS = 5_000;

/**
 * `POST /v2/repository/index` of the model repository extension. A model that was never loaded has no state; one whose load
 * failed is UNAVAILABLE with a reason; after an unload it is UNLOADING, then UNAVAILABLE with the reason `unloaded`.
 */
const Index = z.array(z.object({ name: z.string(), state: z.string().optional(), reason: z.string().optional() }));
const Failure = z.object({ error: z.string() });

export function tritonRepository(http: Http, inferenceUrl: string, servedName: string): TritonRepository {
  const model = encodeURIComponent(servedName);
  const at = (path: string) => new URL(path, inferenceUrl).href;

  const inIndex = async (signal: AbortSignal): Promise<Standing | null> => {
    const url = at("/v2/repository/index");
    const json = { ready: false };
    const reply = await http.request({ method: "POST", url, json, deadlineMs: LOOK_MS, signal });
    if (!reply.ok || reply.status !== 200) return null;
    const index = Index.safeParse(parseJson(reply.body));
    const versions = index.success ? index.data.filter(({ name }) => name === servedName) : [];
    if (versions.length === 0) return null;
    const states = versions.map(({ state }) => state ?? "");
    const changing = states.find((state) => state === "LOADING" || state === "UNLOADING");
    if (changing !== undefined) return { is: "changing", state: changing };
    if (states.includes("READY")) return { is: "ready" };
    return { is: "gone", reason: versions.map(({ reason }) => reason ?? "").find((reason) => reason !== "") ?? "" };
  };

  return {
    async ask(verb, withinMs, signal) {
      const url = at(`/v2/repository/models/${model}/${verb}`);
      const reply = await http.request({ method: "POST", url, json: {}, deadlineMs: withinMs, signal });
      return reply.ok ? { ok: true, reply } : { ok: false, message: reply.message };
    },
    async standing(signal) {
      const listed = await inIndex(signal);
      if (listed) return listed;
      const url = at(`/v2/models/${model}`);
      const reply = await http.request({ method: "GET", url, deadlineMs: LOOK_MS, signal });
      return { is: "unlisted", served: reply.ok && reply.status < 300 };
    },
  };
}

/** @returns the words of `{"error": "…"}`, or what stands there instead; empty for an empty body */
export function errorOf(body: string): string {
  const parsed = Failure.safeParse(parseJson(body));
  return (parsed.success ? parsed.data.error : body).trim().slice(0, 4_000);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
