// The agent's two ways of running: for as long as it is told to, or once through everything there is to do.
import type { ModelName } from "@context-edge/protocol";
import type { Agent } from "./agent.ts";
import type { Bells } from "./bells.ts";
import { isMadeOf } from "./core/built.ts";
import type { State } from "./core/state.ts";
import type { Mishap, Step } from "./core/steps.ts";
import { type Turns, turns } from "./effects/turns.ts";
import { describe } from "./errors.ts";
import { settle, type Surroundings } from "./loop.ts";
import { pollOnce, watchHub } from "./watch.ts";
import type { Worker } from "./worker.ts";

/** A clock that jumps or a link that was changed by hand is noticed within this time. */
const LOOK_AGAIN_MS = 30_000;

interface Running {
  agent: Agent;
  ring: Bells;
  turn: Turns;
  quiet: Turns;
  stop: AbortSignal;
}

/** One loop per model, so that a long download of one does not keep another from healing itself. */
export async function runAgent(agent: Agent, ring: Bells, stop: AbortSignal): Promise<void> {
  const running: Running = { agent, ring, turn: turns(), quiet: turns(), stop };
  const beside: Promise<void>[] = [watchHub(agent.watching, stop), agent.reporter.run(stop)];
  const followed = new Set<ModelName>();
  while (!stop.aborted) {
    agent.heart.beat();
    for (const worker of await openedWorkers(running)) {
      if (followed.has(worker.model)) continue;
      followed.add(worker.model);
      beside.push(followModel(running, worker));
    }
    await ring.any.heard(LOOK_AGAIN_MS, stop);
  }
  await Promise.all(beside);
}

/** A directory that cannot be opened now may be in half a minute; the models that are open go on. */
async function openedWorkers({ agent }: Running): Promise<readonly Worker[]> {
  try {
    return await agent.workers();
  } catch (error) {
    agent.log.error({ err: error }, `a model's directory cannot be opened: ${describe(error)}`);
    return agent.opened();
  }
}

async function followModel(running: Running, worker: Worker): Promise<void> {
  const { ring, stop } = running;
  // Hung up before the first look: what rings during it must be heard after it.
  const own = ring.of(worker.model);
  let stalls = 0;
  while (!stop.aborted) {
    const { comeBackMs, isStalled } = await settleOne(running, worker, stalls);
    stalls = isStalled ? stalls + 1 : 0;
    await own.heard(Math.min(LOOK_AGAIN_MS, comeBackMs ?? LOOK_AGAIN_MS), stop);
  }
}

/** @returns whether every model is where the manifest wants it, and the hub knows. */
export async function runOnce(agent: Agent, ring: Bells, stop: AbortSignal): Promise<boolean> {
  const running: Running = { agent, ring, turn: turns(), quiet: turns(), stop };
  const polled = await pollOnce(agent.watching, 0, stop);
  if (!polled.ok) agent.log.error(agent.link.trouble, "the hub cannot be followed");
  const isSettled = await settleAll(running);
  const isTold = await agent.reporter.flush(stop);
  return polled.ok && isSettled && isTold;
}

/** Without asking the hub: for orders of the person at the device while no agent runs. */
export async function runOffline(agent: Agent, ring: Bells, stop: AbortSignal): Promise<boolean> {
  const isSettled = await settleAll({ agent, ring, turn: turns(), quiet: turns(), stop });
  await agent.reporter.flush(AbortSignal.any([stop, AbortSignal.timeout(5_000)]));
  return isSettled;
}

/** One after the other, so that a run is the same every time. */
async function settleAll(running: Running): Promise<boolean> {
  let isSettled = true;
  for (const worker of await running.agent.workers()) {
    const { comeBackMs } = await settleOne(running, worker, 0);
    const { wish, disk } = worker.latest();
    const isThere = wish.is !== "candidate" || (disk.current.is === "file" && isMadeOf(disk.current, wish.candidate));
    isSettled = isSettled && comeBackMs === null && isThere && wish.is !== "impossible";
  }
  return isSettled;
}

interface Cycle {
  comeBackMs: number | null;
  isStalled: boolean;
}

async function settleOne({ agent, ring, turn, quiet, stop }: Running, worker: Worker, stalls: number): Promise<Cycle> {
  let lastMishap: Mishap | null = null;
  const around: Surroundings = {
    stop,
    stalls,
    turn,
    quiet,
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
