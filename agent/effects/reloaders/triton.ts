// Reloads through the repository API of Triton (and of those who speak it): unload, then load.
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
      if (loaded.status >= 200 && loaded.status < 300) return { ok: true };
      const detail = headerOf(loaded.headers, "content-type")?.includes("json") === true ? errorOf(loaded.body) : "";
      return reloadFailed(detail === "" ? `load answered ${loaded.status}` : detail, loaded.body.slice(0, 4_000));
    },
  };

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

function errorOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    const isError = typeof parsed === "object" && parsed !== null && "error" in parsed;
    return isError && typeof parsed.error === "string" ? parsed.error.slice(0, 500) : "";
  } catch {
    return "";
  }
}
