// Reloads through the repository API of Triton (and of those who speak it): unload, then load.
import { z } from "zod";
import { headerOf, type Http } from "../http.ts";
import { pause } from "../pause.ts";
import { reloadFailed, type Reloader } from "./reloader.ts";

/** Requests under way keep a model; this long they are waited for. */
const UNLOAD_WAIT_MS = 30_000;
const CALL_MS = 10_000;
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
      // A model that was never loaded cannot be unloaded; whether it is gone is what counts. One that stays would make the
      // load do nothing and answer 200, and the old file would be taken for the new one.
      if (!(await isGoneWithin(Math.min(UNLOAD_WAIT_MS, budgetMs), signal))) {
        const words =
          unloaded.status < 300 ? "it stays loaded" : errorOf(unloaded.body) || `it answered ${unloaded.status}`;
        return reloadFailed(`the old model could not be unloaded: ${words}${isModeError(words) ? MODE_HINT : ""}`);
      }
      if (file === null) return { ok: true };
      const loaded = await post("load", budgetMs, signal);
      if (!loaded.ok) return reloadFailed(loaded.message);
      if (loaded.status >= 200 && loaded.status < 300) {
        // An answer of 200 is no proof: a load that was taken for needless, or failed late, is seen in the index.
        const state = await stateInIndex(signal);
        if (state === null || state.state === "READY" || state.state === "LOADING") return { ok: true };
        await post("unload", CALL_MS, signal);
        return reloadFailed(`after the load the model is ${state.state}: ${state.reason}`);
      }
      // A failed load of TensorRT keeps memory of the GPU until it is unloaded.
      await post("unload", CALL_MS, signal);
      const detail = headerOf(loaded.headers, "content-type")?.includes("json") === true ? errorOf(loaded.body) : "";
      return reloadFailed(detail === "" ? `load answered ${loaded.status}` : detail, loaded.body.slice(0, 4_000));
    },
  };

  /** @returns null when this service has no index, or does not list the model */
  async function stateInIndex(signal: AbortSignal): Promise<{ state: string; reason: string } | null> {
    const url = at("/v2/repository/index");
    const reply = await http.request({ method: "POST", url, json: {}, deadlineMs: CALL_MS, signal });
    if (!reply.ok || reply.status !== 200) return null;
    const index = Index.safeParse(parseJson(reply.body));
    const found = index.success ? index.data.find(({ name }) => name === servedName) : undefined;
    return found ? { state: found.state ?? "UNKNOWN", reason: found.reason ?? "" } : null;
  }

  /** Triton answers an unload before it is done. No answer at all is no proof that the model is gone. */
  async function isGoneWithin(withinMs: number, signal: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const reply = await http.request({ method: "GET", url: at(`/v2/models/${model}`), deadlineMs: 2_000, signal });
      if (reply.ok && reply.status >= 400) return true;
      if (performance.now() >= deadline) return false;
      await pause(LOOK_EVERY_MS, signal);
      signal.throwIfAborted();
    }
  }
}

/** `POST /v2/repository/index` of Triton's model repository extension. */
const Index = z.array(z.object({ name: z.string(), state: z.string().optional(), reason: z.string().optional() }));
const Failure = z.object({ error: z.string() });

/** What Triton answers in its control modes NONE and POLL. */
const isModeError = (words: string) => /explicit model load|not allowed/i.test(words);
const MODE_HINT = "; start Triton with --model-control-mode=explicit";

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
