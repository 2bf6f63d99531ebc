// Follows one deployment until it ends: live where the hub streams, by asking where it does not, and through a restart of the hub.
import { z } from "zod";
import { CLOSED_STATES, Deployment } from "./answers.ts";
import { EXIT, Failure, type Exit } from "./exits.ts";
import type { HubClient } from "./hub-client.ts";
import { readLive } from "./live-stream.ts";
import { durationWords } from "./quantities.ts";

/**
 * How far to follow: everybody settled, the gate passed, or the very end. Who rolled a deployment back waits for that end
 * of it, which is a bad one for everybody else.
 */
export const UNTIL = ["settled", "approval", "finished", "rolled-back"] as const;
export type Until = (typeof UNTIL)[number];

/** What is followed, and how it stands. */
export interface Look {
  id: string;
  /** The command that follows it another time. */
  again: string;
  /** Whether the stream's news of a deployment are the answer itself, a reason to ask, or nothing to do with it. */
  concerns(news: Deployment): "is it" | "ask" | "no";
  ask(): Promise<Deployment | Failure>;
}

export interface Watcher {
  show(deployment: Deployment): void;
  /** The hub does not answer; null: it does again. */
  trouble(sentence: string | null): void;
  end(): void;
}

interface Following {
  until: Until;
  timeoutSeconds: number;
  watcher: Watcher;
}

const ASK_WITH_STREAM_MS = 10_000;
const ASK_WITHOUT_STREAM_MS = 1_000;
/** Refusals that pass: the hub starts, or has too much to do. */
const PASSING = new Set(["HUB_UNREACHABLE", "STORE_UNAVAILABLE", "OVERLOADED", "INTERNAL"]);

const LiveDeployment = z.looseObject({ type: z.literal("deployment"), deployment: Deployment });

/** @throws Failure with exit 3 when it ended badly, 4 when time was up. */
export async function follow(hub: HubClient, look: Look, following: Following): Promise<Deployment> {
  const { until, timeoutSeconds, watcher } = following;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeoutSeconds * 1_000);
  const news = openNews(hub, look, stop.signal);
  let last: Deployment | undefined;
  let isAway = false;
  try {
    for (;;) {
      const found = news.take() ?? (await look.ask());
      if (found instanceof Failure) {
        if (!isAway) watcher.trouble(`${found.message} The deployment goes on without it being watched; trying again.`);
        isAway = true;
      } else {
        if (isAway) watcher.trouble(null);
        isAway = false;
        last = found;
        watcher.show(last);
        const ending = endingOf(last, until);
        if (ending === EXIT.done) return last;
        if (ending !== undefined) throw badEnd(last, ending);
      }
      if (stop.signal.aborted) throw timeUp(look, last, timeoutSeconds, { isAway });
      await news.wait();
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
    watcher.end();
  }
}

/** @returns the exit it means, or undefined while it goes on. */
export function endingOf({ state }: Deployment, until: Until): Exit | undefined {
  if (until === "rolled-back" && state === "rolled-back") return EXIT.done;
  if (state === "finished" && until !== "rolled-back") return EXIT.done;
  if (state === "awaiting-approval" && (until === "settled" || until === "approval")) return EXIT.done;
  if (state === "soaking" && until === "settled") return EXIT.done;
  // Whoever halted it, it does not go on by itself.
  if (state === "paused" || CLOSED_STATES.includes(state)) return EXIT.halted;
  return undefined;
}

function badEnd(deployment: Deployment, exit: Exit): Failure {
  const { id, version, state, state_reason } = deployment;
  const steps: Record<string, string> = {
    paused:
      `Look at the devices with: context-edge devices. Then context-edge deployments retry ${id}, ` +
      `resume ${id} (accepts the failures), or rollback ${id}.`,
  };
  return new Failure(exit, `${version} is ${state}: ${state_reason}`, {
    code: `DEPLOYMENT_${state.toUpperCase().replaceAll("-", "_")}`,
    nextStep: steps[state] ?? `See it with: context-edge deployments show ${id}`,
    document: deployment,
  });
}

function timeUp(
  { again }: Look,
  last: Deployment | undefined,
  seconds: number,
  { isAway }: { isAway: boolean },
): Failure {
  const stands = last ? `it is ${last.state}: ${last.state_reason}` : "nothing was heard of it";
  const away = isAway ? "; the hub does not answer" : "";
  return new Failure(EXIT.timeout, `After ${durationWords(seconds)} ${stands}${away}.`, {
    code: "WAITED_TOO_LONG",
    nextStep: `The deployment goes on. Follow it with: ${again} --timeout 2h`,
    document: last && { ...last, waited_seconds: seconds },
  });
}

/** One deployment and nothing else. */
export function lookAt(hub: HubClient, id: string): Look {
  const again = `context-edge deployments wait ${id}`;
  return { id, again, concerns: (news) => (news.id === id ? "is it" : "no"), ask: () => ask(hub, id) };
}

/** A hub that is away is a failure to live with; any other is thrown. */
export async function ask(hub: HubClient, id: string): Promise<Deployment | Failure> {
  try {
    return await hub.get(Deployment, `api/v1/deployments/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof Failure && PASSING.has(error.more.code)) return error;
    throw error;
  }
}

/** The newest state the stream brought, and a wait that ends with news, when it is time to ask, or when told to stop. */
function openNews(hub: HubClient, look: Look, signal: AbortSignal) {
  let newest: Deployment | undefined;
  let isLive = false;
  let hasRung = false;
  let ring: () => void = () => undefined;
  const wake = () => {
    hasRung = true;
    ring();
  };
  void readLive(
    hub,
    {
      onMessage(message) {
        const parsed = LiveDeployment.safeParse(message);
        const concern = parsed.success ? look.concerns(parsed.data.deployment) : "no";
        if (!parsed.success || concern === "no") return;
        if (concern === "is it") newest = parsed.data.deployment;
        wake();
      },
      onOpen() {
        isLive = true;
        wake();
      },
      onLost() {
        isLive = false;
      },
    },
    signal,
  );
  signal.addEventListener("abort", wake, { once: true });
  return {
    take(): Deployment | undefined {
      const taken = newest;
      newest = undefined;
      return taken;
    },
    async wait(): Promise<void> {
      if (!hasRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, isLive ? ASK_WITH_STREAM_MS : ASK_WITHOUT_STREAM_MS);
          ring = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      hasRung = false;
    },
  };
}
