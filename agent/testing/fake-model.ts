// Model files for tests: a line of JSON that tells the fake inference service how to behave, padded to any size.
import { createHash } from "node:crypto";
import { z } from "zod";

export const Behaviour = z.object({
  version: z.string(),
  latencyMs: z.number().default(0),
  /** Every answer is the input times this; the golden samples expect 2. */
  factor: z.number().default(2),
  /** Every n-th request fails; 0: none. */
  failEvery: z.number().default(0),
  loads: z.boolean().default(true),
  /** Answers nothing any more after so many requests; 0: never. */
  diesAfter: z.number().default(0),
});
export type Behaviour = z.infer<typeof Behaviour>;

const PLAN_HEADER_BYTES = 28;
const TRAILER = "\nbuilt ";

export interface Loadable {
  behaviour: Behaviour;
  /** Of the TensorRT that built it; null for a file that was never built. */
  tensorrt: string | null;
}

/** What a service finds in a file: a model, or an engine that the stand-in for trtexec made of one. */
export function readModel(bytes: Buffer): Loadable {
  const isPlan = bytes.subarray(0, 4).toString("latin1") === "ftrt";
  if (!isPlan) return { behaviour: Behaviour.parse(JSON.parse(bytes.toString())), tensorrt: null };
  const text = bytes.subarray(PLAN_HEADER_BYTES).toString();
  if (!text.endsWith("END.")) throw new Error("Serialization assertion plan->header.size == blobSize failed.");
  const behaviour = Behaviour.parse(JSON.parse(text.slice(0, text.lastIndexOf(TRAILER))));
  return { behaviour, tensorrt: [...bytes.subarray(24, PLAN_HEADER_BYTES)].join(".") };
}

export interface FakeModel {
  version: string;
  bytes: Buffer;
  digest: string;
}

export function fakeModel(behaviour: z.input<typeof Behaviour>, sizeBytes = 2_000): FakeModel {
  const bytes = Buffer.from(JSON.stringify(Behaviour.parse(behaviour)).padEnd(sizeBytes, " "));
  return { version: behaviour.version, bytes, digest: createHash("sha256").update(bytes).digest("hex") };
}
