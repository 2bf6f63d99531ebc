// A worker thread that holds one ONNX Runtime session: a slow model blocks its own device's thread and nobody else's.
import { parentPort, workerData } from "node:worker_threads";
import type { Tensor } from "@context-edge/protocol";
import * as ort from "onnxruntime-web";
import { z } from "zod";
import { fromOrtTensor, toOrtTensor } from "./tensors.ts";

export type EngineRequest = { id: number; inputs: Tensor[] };
export type EngineReply =
  | { kind: "loaded"; inputs: TensorInfo[]; outputs: TensorInfo[] }
  | { kind: "load-failed"; error: string }
  | { kind: "inferred"; id: number; outputs: Tensor[]; computeNs: number }
  | { kind: "infer-failed"; id: number; error: string };
export interface TensorInfo {
  name: string;
  datatype: string;
  shape: number[];
}

const DATATYPES: Record<string, string> = { float32: "FP32", int64: "INT64", int32: "INT32", bool: "BOOL" };

function describe(metadata: readonly ort.InferenceSession.ValueMetadata[]): TensorInfo[] {
  return metadata.flatMap((value) =>
    value.isTensor
      ? [
          {
            name: value.name,
            datatype: DATATYPES[value.type] ?? value.type.toUpperCase(),
            // A symbolic dimension is a dynamic one: the protocol writes -1.
            shape: value.shape.map((size) => (typeof size === "number" ? size : -1)),
          },
        ]
      : [],
  );
}

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  const { bytes } = z.object({ bytes: z.instanceof(Uint8Array) }).parse(workerData);
  const reply = (message: EngineReply) => port.postMessage(message);
  ort.env.wasm.numThreads = 1;
  try {
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    port.on("message", (request: EngineRequest) => {
      void infer(session, request).then(reply);
    });
    reply({ kind: "loaded", inputs: describe(session.inputMetadata), outputs: describe(session.outputMetadata) });
  } catch (error) {
    reply({ kind: "load-failed", error: String(error) });
  }
}

async function infer(session: ort.InferenceSession, { id, inputs }: EngineRequest): Promise<EngineReply> {
  const startedNs = process.hrtime.bigint();
  try {
    const feeds = Object.fromEntries(inputs.map((tensor) => [tensor.name, toOrtTensor(tensor)]));
    const results = await session.run(feeds);
    const outputs = session.outputNames.map((name) => fromOrtTensor(name, results[name]));
    return { kind: "inferred", id, outputs, computeNs: Number(process.hrtime.bigint() - startedNs) };
  } catch (error) {
    return { kind: "infer-failed", id, error: String(error) };
  }
}

if (parentPort) await serve(parentPort);
