// Reloads through the repository API of Triton (and of those who speak it): unload, then load.
import { z } from "zod";
import { headerOf, type Http } from "../http.ts";
import { pause } from "../pause.ts";
import { reloadFailed, type Reloader } from "./reloader.ts";

const UNLOAD_WAIT_MS = 10_000;
const LOOK_EVERY_MS = 100;

/**
 * Unload first, always: Triton takes a model for unmodified unless the file behind the link is *newer*, so a load alone
 * does nothing when going back to an older file; and two engines at once do not fit a small device's memory.
 */
export function tritonReloader(http: Http, inferenceUrl: string, servedName: string): Reloader {
  const model = encodeURIComponent(servedName);
  const at = (path: string) => new URL(path, inferenceUrl).href;
  const post = (verb: "load" | "unload", deadlineMs: number, signal: AbortSignal) =>
    http.request({ method: "POST", url: at(`/v2/repository/models/${model}/${verb}`), json: {}, deadlineMs, signal });

  return {
    takes: "at-once",
    async reload({ file, budgetMs }, signal) {
      const unloaded = await post("unload", budgetMs, signal);
      if (!unloaded.ok) return reloadFailed(unloaded.message);
      // A model that was never loaded cannot be unloaded; whether it is gone is what counts.
      await untilGone(Math.min(UNLOAD_WAIT_MS, budgetMs), signal);
      if (file === null) return { ok: true };
      const loaded = await post("load", budgetMs, signal);
      if (!loaded.ok) return reloadFailed(loaded.message);
      if (loaded.status >= 200 && loaded.status < 300) {
        // An answer of 200 is no proof: a load that was taken for needless, or failed late, is seen in the index.
        const state = await stateInIndex(signal);
        if (state === null || state.state === "READY" || state.state === "LOADING") return { ok: true };
        await post("unload", UNLOAD_WAIT_MS, signal);
        return reloadFailed(`after the load the model is ${state.state}: ${state.reason}`);
      }
      // A failed load of TensorRT keeps memory of the GPU until it is unloaded.
      await post("unload", UNLOAD_WAIT_MS, signal);
      const detail = headerOf(loaded.headers, "content-type")?.includes("json") === true ? errorOf(loaded.body) : "";
      return reloadFailed(detail === "" ? `load answered ${loaded.status}` : detail, loaded.body.slice(0, 4_000));
    },
  };

  /** @returns null when this service has no index, or does not list the model */
  async function stateInIndex(signal: AbortSignal): Promise<{ state: string; reason: string } | null> {
    const url = at("/v2/repository/index");
    const reply = await http.request({ method: "POST", url, json: {}, deadlineMs: UNLOAD_WAIT_MS, signal });
    if (!reply.ok || reply.status !== 200) return null;
    const index = Index.safeParse(parseJson(reply.body));
    const found = index.success ? index.data.find(({ name }) => name === servedName) : undefined;
    return found ? { state: found.state ?? "UNKNOWN", reason: found.reason ?? "" } : null;
  }

  /** Triton answers an unload before it is done. */
  async function untilGone(withinMs: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (performance.now() < deadline) {
      const reply = await http.request({ method: "GET", url: at(`/v2/models/${model}`), deadlineMs: 2_000, signal });
      if (!reply.ok || reply.status >= 400) return;
      await pause(LOOK_EVERY_MS, signal);
      signal.throwIfAborted();
    }
  }
}

/** `POST /v2/repository/index` of Triton's model repository extension. */
const Index = z.array(z.object({ name: z.string(), state: z.string().optional(), reason: z.string().optional() }));
const Failure = z.object({ error: z.string() });

function errorOf(body: string): string {
  const parsed = Failure.safeParse(parseJson(body));
  return parsed.success ? parsed.data.error.slice(0, 500) : "";
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
