// The probe for Open Inference Protocol services: warm-up, a paced and timed run, golden answers, and who is being served.
import type { Evidence, Golden, Measurement, Tensor } from "@context-edge/protocol";
import { pause } from "../pause.ts";
import { compareGolden } from "./golden.ts";
import type { OipClient } from "./oip-client.ts";
import type { Look, Probe, Probing } from "./probe.ts";
import { inputsFor } from "./synthesis.ts";
import { powerTags } from "./tags.ts";
import { figuresOf } from "./timing.ts";

type InputSets = { are: "sets"; sets: Tensor[][] } | { are: "unwritable" } | { are: "unanswered" };

const LOOK_DEADLINE_MS = 5_000;
/** Reports wait for the counters; better none than a late report. */
const COUNTERS_DEADLINE_MS = 2_000;
/** A service that answers nothing needs no full warm-up to be found out. */
const WARMUP_FAILURES = 3;

export function oipProbe(client: OipClient): Probe {
  let own = 0;
  const infer = async (inputs: readonly Tensor[], deadlineMs: number, signal: AbortSignal) => {
    const answer = await client.infer(inputs, deadlineMs, signal);
    if (answer.ok) own += 1;
    return answer;
  };

  const warmUp = async (sets: Tensor[][], { policy }: Probing, signal: AbortSignal) => {
    const until = performance.now() + policy.warmup_ms;
    const latest = until + policy.window_ms;
    let failures = 0;
    for (let sent = 0; sent < policy.warmup_requests || performance.now() < until; sent += 1) {
      const answer = await infer(sets[sent % sets.length] ?? [], policy.request_timeout_ms, signal);
      failures = answer.ok ? 0 : failures + 1;
      if (failures >= WARMUP_FAILURES || performance.now() > latest) return;
      await pause(policy.pace_ms, signal);
      signal.throwIfAborted();
    }
  };

  const run = async (sets: Tensor[][], { policy }: Probing, signal: AbortSignal) => {
    const timesMs: number[] = [];
    let errors = 0;
    const until = performance.now() + policy.window_ms;
    while (timesMs.length + errors < policy.samples && performance.now() < until) {
      const startedAt = performance.now();
      const inputs = sets[(timesMs.length + errors) % sets.length] ?? [];
      const answer = await infer(inputs, policy.request_timeout_ms, signal);
      if (answer.ok) timesMs.push(performance.now() - startedAt);
      else errors += 1;
      await pause(policy.pace_ms, signal);
      signal.throwIfAborted();
    }
    return { timesMs, errors };
  };

  const inputSets = async (golden: Golden | null, signal: AbortSignal): Promise<InputSets> => {
    const metadata = await client.metadata(LOOK_DEADLINE_MS, signal);
    if (!metadata.ok) return { are: "unanswered" };
    const sets = inputsFor(metadata.value, golden);
    return typeof sets === "string" ? { are: "unwritable" } : { are: "sets", sets };
  };

  return {
    look: (signal) => look(client, signal),

    async checkGolden({ golden, policy }, signal): Promise<Evidence["golden"] | null> {
      if (!golden || golden.samples.length === 0) return null;
      const answers: (readonly Tensor[] | null)[] = [];
      for (const sample of golden.samples) {
        const answer = await infer(sample.inputs, policy.request_timeout_ms, signal);
        answers.push(answer.ok ? answer.value.outputs : null);
      }
      return compareGolden(golden, answers);
    },

    async measure(probing, signal): Promise<Measurement | null> {
      const inputs = await inputSets(probing.golden, signal);
      if (inputs.are === "unwritable") return null;
      if (inputs.are === "sets") await warmUp(inputs.sets, probing, signal);
      // A service that died since it was ready is one that fails its requests, not one that cannot be asked.
      const timed = inputs.are === "sets" ? await run(inputs.sets, probing, signal) : { timesMs: [], errors: 1 };
      const figures = figuresOf(timed);
      return { ...figures, at: new Date().toISOString(), tags: await powerTags() };
    },

    async isAnswering({ golden, policy }, signal) {
      const inputs = await inputSets(golden, signal);
      // Ready, but of a kind we cannot ask: readiness alone has to do.
      if (inputs.are !== "sets") return inputs.are === "unwritable";
      return (await infer(inputs.sets[0] ?? [], policy.request_timeout_ms, signal)).ok;
    },

    async counters(signal) {
      const answer = await client.counters(COUNTERS_DEADLINE_MS, signal);
      return answer.ok ? answer.value : null;
    },

    ownRequests: () => own,
    setOwnRequests(count) {
      own = count;
    },
  };
}

/** Ready means the server is, and the model is: Triton is "ready" with nothing loaded. */
async function look(client: OipClient, signal: AbortSignal): Promise<Look> {
  const ready = await client.isReady(LOOK_DEADLINE_MS, signal);
  if (!ready.ok) return { ready: false, digest: null, detail: ready.detail };
  const metadata = await client.metadata(LOOK_DEADLINE_MS, signal);
  if (!metadata.ok) return { ready: false, digest: null, detail: metadata.detail };
  const digest = metadata.value.parameters?.["digest"];
  return { ready: true, digest: typeof digest === "string" ? digest : null, detail: "" };
}
