// One loaded model: a worker thread with its session, its digest and its counters.
import { createHash } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Tensor } from "@context-edge/protocol";
import type { EngineReply, EngineRequest, TensorInfo } from "./engine-worker.ts";

const LOAD_DEADLINE_MS = 60_000;
const INFER_DEADLINE_MS = 30_000;

export interface Inferred {
  outputs: Tensor[];
  /** Time in the session alone, without queueing or HTTP. */
  computeNs: number;
}

export interface Engine {
  /** sha256 of the bytes that were loaded, not of whatever the link names later. */
  digest: string;
  fileName: string;
  inputs: TensorInfo[];
  outputs: TensorInfo[];
  infer(inputs: Tensor[]): Promise<Inferred>;
  close(): Promise<void>;
}

/** Loads the file behind `link`. @throws when there is none or ONNX Runtime refuses it. */
export async function loadEngine(link: string): Promise<Engine> {
  const bytes = await readFile(link);
  const fileName = await readlink(link).catch(() => link);
  // The worker gets the very bytes that are hashed here: the link may name another file by then.
  const worker = new Worker(new URL("./engine-worker.ts", import.meta.url), { workerData: { bytes } });
  const [reply] = (await once(worker, "message", { signal: AbortSignal.timeout(LOAD_DEADLINE_MS) })) as [EngineReply];
  if (reply.kind !== "loaded") {
    await worker.terminate();
    throw new Error(reply.kind === "load-failed" ? reply.error : "the engine answered out of turn");
  }
  return {
    digest: createHash("sha256").update(bytes).digest("hex"),
    fileName,
    inputs: reply.inputs,
    outputs: reply.outputs,
    infer: inferOn(worker),
    close: async () => {
      await worker.terminate();
    },
  };
}

function inferOn(worker: Worker): Engine["infer"] {
  const waiting = new Map<number, { resolve: (inferred: Inferred) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  worker.on("message", (reply: EngineReply) => {
    if (reply.kind !== "inferred" && reply.kind !== "infer-failed") return;
    const caller = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.kind === "inferred") caller?.resolve(reply);
    else caller?.reject(new Error(reply.error));
  });
  worker.on("exit", () => {
    for (const caller of waiting.values()) caller.reject(new Error("the model was unloaded"));
    waiting.clear();
  });
  return (inputs) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const deadline = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(`no answer within ${INFER_DEADLINE_MS} ms`));
      }, INFER_DEADLINE_MS);
      waiting.set(id, {
        resolve: (inferred) => (clearTimeout(deadline), resolve(inferred)),
        reject: (error) => (clearTimeout(deadline), reject(error)),
      });
      worker.postMessage({ id, inputs } satisfies EngineRequest);
    });
}
