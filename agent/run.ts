// The agent's two ways of running: for as long as it is told to, or once through everything there is to do.
import type { Agent } from "./agent.ts";
import type { State } from "./core/state.ts";
import type { Mishap, Step } from "./core/steps.ts";
import { type Bell, bell } from "./effects/bell.ts";
import { describe } from "./errors.ts";
import { settle, type Surroundings } from "./loop.ts";
import { pollOnce, watchHub } from "./watch.ts";
import type { Worker } from "./worker.ts";

/** Bells for the loop and for those who only look on. */
export interface Bells {
  manifest: Bell;
  /** Aborted and replaced with every accepted manifest that no longer asks for the running candidate. */
  follow(): void;
  following(state: State, worker: Worker): AbortSignal;
}

/** A clock that jumps or a link that was changed by hand is noticed within this time. */
const LOOK_AGAIN_MS = 30_000;

export function bells(): Bells {
  const manifest = bell();
  let watched: { controller: AbortController; isStillAsked: () => boolean } | null = null;
  return {
    manifest,
    follow() {
      manifest.ring();
      if (watched && !watched.isStillAsked()) watched.controller.abort();
    },
    following(state, worker) {
      const controller = new AbortController();
      const { transaction } = state.journal;
      const digest = "attempt" in transaction ? transaction.attempt.candidate.digest : digestOf(state.wish);
      watched = { controller, isStillAsked: () => digestOf(worker.latest().wish) === digest };
      return controller.signal;
    },
  };
}

export async function runAgent(agent: Agent, ring: Bells, stop: AbortSignal): Promise<void> {
  const beside = [watchHub(agent.watching, stop), agent.reporter.run(stop)];
  const stalls = new Map<string, number>();
  while (!stop.aborted) {
    let comeBackMs = LOOK_AGAIN_MS;
    for (const worker of await agent.workers()) {
      const count = stalls.get(worker.model) ?? 0;
      const cycle = await settleOne(agent, ring, worker, count, stop);
      stalls.set(worker.model, cycle.isStalled ? count + 1 : 0);
      comeBackMs = Math.min(comeBackMs, cycle.comeBackMs ?? LOOK_AGAIN_MS);
    }
    await ring.manifest.heard(comeBackMs, stop);
  }
  await Promise.all(beside);
}

/** @returns whether every model is where the manifest wants it, and the hub knows. */
export async function runOnce(agent: Agent, ring: Bells, stop: AbortSignal): Promise<boolean> {
  const polled = await pollOnce(agent.watching, 0, stop);
  if (!polled.ok) agent.log.error(agent.link.trouble, "the hub cannot be followed");
  let isSettled = polled.ok;
  for (const worker of await agent.workers()) {
    const { comeBackMs } = await settleOne(agent, ring, worker, 0, stop);
    const { wish, disk } = worker.latest();
    const isThere =
      wish.is !== "candidate" || (disk.current.is === "file" && disk.current.digest === wish.candidate.digest);
    isSettled = isSettled && comeBackMs === null && isThere && wish.is !== "impossible";
  }
  const isTold = await agent.reporter.flush(stop);
  return isSettled && isTold;
}

interface Cycle {
  comeBackMs: number | null;
  isStalled: boolean;
}

async function settleOne(agent: Agent, ring: Bells, worker: Worker, stalls: number, stop: AbortSignal): Promise<Cycle> {
  let lastMishap: Mishap | null = null;
  const around: Surroundings = {
    stop,
    stalls,
    jitter: Math.random,
    following: (state) => ring.following(state, worker),
    moved(state: State, step: Step, mishap: Mishap | null) {
      lastMishap = mishap;
      agent.log.info(
        { model: worker.model, stage: state.journal.transaction.stage, step: step.do },
        sentence(step, mishap),
      );
      agent.changed();
    },
  };
  try {
    const comeBackMs = await settle(worker, around);
    return { comeBackMs, isStalled: lastMishap !== null };
  } catch (error) {
    if (stop.aborted) return { comeBackMs: null, isStalled: false };
    // The journal or the directory could not be read or written: nothing was done, and nothing is until it can be.
    agent.log.error({ err: error, model: worker.model }, `stopped before doing anything: ${describe(error)}`);
    return { comeBackMs: Math.min(300_000, 1_000 * 2 ** Math.min(stalls, 8)), isStalled: true };
  }
}

function sentence(step: Step, mishap: Mishap | null): string {
  return mishap ? `${step.do}: ${mishap.code}: ${mishap.message}` : `${step.do}: done`;
}

function digestOf(wish: State["wish"]): string | null {
  return wish.is === "candidate" ? wish.candidate.digest : null;
}
