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

export interface FakeModel {
  version: string;
  bytes: Buffer;
  digest: string;
}

export function fakeModel(behaviour: z.input<typeof Behaviour>, sizeBytes = 2_000): FakeModel {
  const bytes = Buffer.from(JSON.stringify(Behaviour.parse(behaviour)).padEnd(sizeBytes, " "));
  return { version: behaviour.version, bytes, digest: createHash("sha256").update(bytes).digest("hex") };
}
