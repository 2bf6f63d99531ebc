// Reloads through the repository API of Triton: unload, wait until it is gone, load, and look whether it really is there.
import type { Http } from "../http.ts";
import { pause } from "../pause.ts";
import { type Reloaded, type Reloader, reloadFailed, reloaderOff } from "./reloader.ts";
import { errorOf, type Standing, tritonRepository } from "./triton-repository.ts";

const UNLOAD_WAIT_MS = 20_000;
const CLEAN_UP_MS = 5_000;
const LOOK_EVERY_MS = 100;
/** What Triton answers to load and unload in every control mode but EXPLICIT: with 400 at first, with 503 today. */
const NOT_EXPLICIT = /explicit model load \/ unload is not allowed/i;

/**
 * Unload first, always: Triton takes a model for unmodified unless the file behind the link is *newer*, so a load alone
 * does nothing when going back to an older file; and two engines at once do not fit a small device's memory.
 * Written after Triton's documents and source, never tried on one.
 */
export function tritonReloader(http: Http, inferenceUrl: string, servedName: string): Reloader {
  const repository = tritonRepository(http, inferenceUrl, servedName);

  /** @returns how the model stood when `isSo` held or the time was over */
  const lookUntil = async (isSo: (now: Standing) => boolean, deadline: number, signal: AbortSignal) => {
    for (;;) {
      const now = await repository.standing(signal);
      if (isSo(now) || performance.now() >= deadline) return now;
      await pause(LOOK_EVERY_MS, signal);
      signal.throwIfAborted();
    }
  };

  /** A failed load of TensorRT keeps memory of the GPU until it is unloaded, if it lets go of it at all. */
  const failed = async (message: string, detail: string, signal: AbortSignal): Promise<Reloaded> => {
    await repository.ask("unload", CLEAN_UP_MS, signal);
    return reloadFailed(message, detail);
  };

  return {
    takes: "at-once",
    async reload({ file, budgetMs }, signal) {
      const deadline = performance.now() + budgetMs;
      const leftMs = () => Math.max(1, Math.ceil(deadline - performance.now()));

      const unloaded = await repository.ask("unload", leftMs(), signal);
      if (!unloaded.ok) return unreachable(inferenceUrl, unloaded.message);
      if (NOT_EXPLICIT.test(unloaded.reply.body)) return notExplicit(unloaded.reply.body);
      // Any other refusal may mean that it was never loaded: whether it is gone is what counts.
      const goneBy = performance.now() + Math.min(UNLOAD_WAIT_MS, leftMs() / 2);
      const left = await lookUntil(isGone, goneBy, signal);
      if (!isGone(left)) {
        // A load would now do nothing and answer 200, and the old file would be taken for the new one.
        const state = left.is === "changing" ? left.state : "loaded";
        return reloadFailed(
          `the service does not let go of the old model: it stays ${state}`,
          errorOf(unloaded.reply.body),
        );
      }
      if (file === null) return { ok: true };

      const loaded = await repository.ask("load", leftMs(), signal);
      if (!loaded.ok) return failed(`the load was not answered: ${loaded.message}`, "", signal);
      const { status, body } = loaded.reply;
      if (NOT_EXPLICIT.test(body)) return notExplicit(body);
      if (status >= 300) return failed(`the service refused to load it (${status})`, errorOf(body), signal);
      // An answer of 200 is no proof. Where there is no index, the probe, which waits for the model, has to give it.
      const now = await lookUntil((seen) => seen.is !== "changing", deadline, signal);
      if (now.is === "ready" || now.is === "unlisted") return { ok: true };
      if (now.is === "changing")
        return failed(`the model is still ${now.state} after the time it was given`, "", signal);
      return failed("the service answered 200 to the load, and does not serve the model", now.reason, signal);
    },
  };
}

function isGone(now: Standing): boolean {
  return now.is === "gone" || (now.is === "unlisted" && !now.served);
}

function unreachable(url: string, message: string): Reloaded {
  return reloaderOff(
    `the inference service at ${url} cannot be reached: ${message}`,
    "Check that the inference service runs and that AGENT_INFERENCE_URL is its HTTP port.",
  );
}

function notExplicit(body: string): Reloaded {
  return reloaderOff(
    "Triton takes no orders to load or unload; it was not started with --model-control-mode=explicit",
    "Start it with --model-control-mode=explicit and --load-model=<name>; in other modes it loads by itself only.",
    errorOf(body),
  );
}
