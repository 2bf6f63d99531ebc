// Held-out sensor samples: never seen in training, with their true labels.
import { readFile } from "node:fs/promises";
import type { InferRequest } from "@context-edge/protocol";
import { z } from "zod";

const HeldOut = z.object({
  classes: z.array(z.string()).min(2),
  samples: z
    .array(
      z.object({
        product: z.number().int(),
        recipe: z.number().int(),
        asset: z.number().int(),
        sensors: z.array(z.number()),
        /** Index into `classes`. */
        label: z.number().int(),
      }),
    )
    .min(1),
});
export type HeldOut = z.infer<typeof HeldOut>;
export type Sample = HeldOut["samples"][number];

export async function readHeldOut(file: string): Promise<HeldOut> {
  return HeldOut.parse(JSON.parse(await readFile(file, "utf8")));
}

/** One sample as a batch of one. */
export function toInferRequest(sample: Sample): InferRequest {
  return {
    inputs: [
      { name: "product", datatype: "INT64", shape: [1], data: [sample.product] },
      { name: "recipe", datatype: "INT64", shape: [1], data: [sample.recipe] },
      { name: "asset", datatype: "INT64", shape: [1], data: [sample.asset] },
      { name: "sensors", datatype: "FP32", shape: [1, sample.sensors.length], data: sample.sensors },
    ],
  };
}

/** The class with the highest probability. */
export function mostLikely(classes: readonly string[], probabilities: readonly number[]): string {
  const best = probabilities.reduce((top, value, index) => (value > (probabilities[top] ?? -1) ? index : top), 0);
  return classes[best] ?? "unknown";
}
