// What a training run may have sent, read tolerantly: anything missing or odd is simply not shown.
import { z } from "zod";

// Null where there was nothing to divide by: a class that was never predicted has no precision.
const PerClass = z.record(
  z.string(),
  z.object({ precision: z.number().nullable(), recall: z.number().nullable(), support: z.number() }),
);
const Curves = z.object({
  epoch: z.array(z.number()).min(1),
  train_loss: z.array(z.number()).min(1),
  validation_accuracy: z.array(z.number()).min(1),
});

const Compared = z.object({ version_id: z.string(), held_out_samples: z.number(), accuracy: z.number() });

export type PerClass = z.infer<typeof PerClass>;
export type Curves = z.infer<typeof Curves>;
export type Compared = z.infer<typeof Compared>;
export interface Confusion {
  classes: string[];
  /** Rows are the truth, columns the prediction. */
  counts: number[][];
}

export function perClassOf(metrics: Record<string, unknown>): PerClass | null {
  return PerClass.safeParse(metrics["per_class"]).data ?? null;
}

export function curvesOf(metrics: Record<string, unknown>): Curves | null {
  return Curves.safeParse(metrics["curves"]).data ?? null;
}

/** The version that ran when this one was trained, measured by that training run on the same samples. */
export function comparedOf(metrics: Record<string, unknown>): Compared | null {
  return Compared.safeParse(metrics["compared_with"]).data ?? null;
}

export function confusionOf(metrics: Record<string, unknown>): Confusion | null {
  const classes = z.array(z.string()).safeParse(metrics["classes"]).data;
  const counts = z.array(z.array(z.number())).safeParse(metrics["confusion"]).data;
  if (!classes || !counts || counts.length !== classes.length || counts.some((row) => row.length !== classes.length))
    return null;
  return { classes, counts };
}

/** Points of an SVG polyline through `values`, in a box of the given size; the range of the values fills its height. */
export function polyline(values: readonly number[], width: number, height: number): string {
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values
    .map((value, index) => `${(index * step).toFixed(1)},${(height - ((value - low) / span) * height).toFixed(1)}`)
    .join(" ");
}
