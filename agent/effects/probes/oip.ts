// The probe for Open Inference Protocol services: warm-up, a paced and timed run, golden answers, and who is being served.
import type { Golden, Measurement, ModelMetadata, Tensor } from "@context-edge/protocol";
import { pause } from "../pause.ts";
import { type InferBody, inferBody, type Wire } from "./binary-tensors.ts";
import { compareGolden } from "./golden.ts";
import type { OipClient } from "./oip-client.ts";
import type { Look, Probe, Probing } from "./probe.ts";
import { inputsFor, inputsOf } from "./synthesis.ts";
import { conditions, tagsOf } from "./tags.ts";
import { figuresOf } from "./timing.ts";

/** How this model is asked, written once: what is timed is the service, not the writing of a request. */
interface Asking {
  key: string;
  golden: Golden | null;
  metadata: ModelMetadata;
  wire: Wire;
  server: string;
  /** Sent in turn; null when nothing can be asked of this model. */
  bodies: readonly InferBody[] | null;
}

const LOOK_DEADLINE_MS = 5_000;
/** Reports wait for the counters; better none than a late report. */
const COUNTERS_DEADLINE_MS = 2_000;
/** A service that answers nothing needs no full warm-up to be found out. */
const WARMUP_FAILURES = 3;

export function oipProbe(client: OipClient): Probe {
  let own = 0;
  let last: Asking | null = null;
  const infer = async (body: InferBody, deadlineMs: number, signal: AbortSignal) => {
    const answer = await client.infer(body, deadlineMs, signal);
    if (answer.ok) own += 1;
    return answer;
  };

  const warmUp = async (bodies: readonly InferBody[], { policy }: Probing, signal: AbortSignal) => {
    const until = performance.now() + policy.warmup_ms;
    const latest = until + policy.window_ms;
    let failures = 0;
    for (let sent = 0; sent < policy.warmup_requests || performance.now() < until; sent += 1) {
      const answer = await infer(inTurn(bodies, sent), policy.request_timeout_ms, signal);
      failures = answer.ok ? 0 : failures + 1;
      if (failures >= WARMUP_FAILURES || performance.now() > latest) return;
      await pause(policy.pace_ms, signal);
      signal.throwIfAborted();
    }
  };

  const run = async (bodies: readonly InferBody[], { policy }: Probing, signal: AbortSignal) => {
    const timesMs: number[] = [];
    let errors = 0;
    const until = performance.now() + policy.window_ms;
    while (timesMs.length + errors < policy.samples && performance.now() < until) {
      const body = inTurn(bodies, timesMs.length + errors);
      const answer = await infer(body, policy.request_timeout_ms, signal);
      if (answer.ok) timesMs.push(answer.value.elapsedMs);
      else errors += 1;
      await pause(policy.pace_ms, signal);
      signal.throwIfAborted();
    }
    return { timesMs, errors };
  };

  /** @returns null when the service does not say what it wants */
  const asking = async (golden: Golden | null, signal: AbortSignal): Promise<Asking | null> => {
    const answer = await client.metadata(LOOK_DEADLINE_MS, signal);
    if (!answer.ok) return null;
    const metadata = answer.value;
    const key = JSON.stringify(metadata);
    if (last?.key === key && last.golden === golden) return last;
    // Not every server describes itself; then it speaks plain JSON.
    const server = await client.server(LOOK_DEADLINE_MS, signal);
    const wire = { outputs: metadata.outputs, speaksBinary: server.ok && server.value.speaksBinary };
    const sets = inputsFor(metadata, golden);
    const bodies = typeof sets === "string" ? null : sets.map((inputs) => inferBody(inputs, wire));
    last = { key, golden, metadata, wire, server: server.ok ? server.value.name : "", bodies };
    return last;
  };

  return {
    look: (signal) => look(client, signal),

    async checkGolden({ golden, policy }, signal) {
      if (!golden || golden.samples.length === 0) return null;
      const asked = await asking(golden, signal);
      const answers: (readonly Tensor[] | null)[] = [];
      // One sample per request: a model of batch size one must be able to answer them too.
      for (const sample of golden.samples) {
        const body = asked && inferBody(inputsOf(asked.metadata, sample), asked.wire);
        const answer = body && (await infer(body, policy.request_timeout_ms, signal));
        answers.push(answer?.ok ? answer.value.response.outputs : null);
      }
      return compareGolden(golden, answers);
    },

    async measure(probing, signal): Promise<Measurement | null> {
      const asked = await asking(probing.golden, signal);
      // A service that died since it was ready is one that fails its requests, not one that cannot be asked.
      if (!asked) return { ...figuresOf({ timesMs: [], errors: 1 }), at: new Date().toISOString(), tags: {} };
      const { bodies } = asked;
      if (!bodies) return null;
      await warmUp(bodies, probing, signal);
      const before = await conditions();
      const timed = await run(bodies, probing, signal);
      // Under work: the clocks of a GPU that rests say nothing of the run.
      const [after] = await Promise.all([
        conditions(),
        infer(inTurn(bodies, 0), probing.policy.request_timeout_ms, signal),
      ]);
      const tags = { ...tagsOf(before, after), runtime: asked.metadata.platform };
      return {
        ...figuresOf(timed),
        at: new Date().toISOString(),
        tags: asked.server === "" ? tags : { ...tags, server: asked.server },
      };
    },

    async isAnswering({ golden, policy }, signal) {
      const asked = await asking(golden, signal);
      if (!asked) return false;
      // Ready, but of a kind we cannot ask: readiness alone has to do.
      if (!asked.bodies) return true;
      return (await infer(inTurn(asked.bodies, 0), policy.request_timeout_ms, signal)).ok;
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

function inTurn(bodies: readonly InferBody[], index: number): InferBody {
  const body = bodies[index % bodies.length];
  if (!body) throw new Error("there is nothing to send");
  return body;
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
