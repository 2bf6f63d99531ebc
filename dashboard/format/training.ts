// What a training run may have sent, read tolerantly: anything missing or odd is simply not shown.
import { z } from "zod";

const PerClass = z.record(z.string(), z.object({ precision: z.number(), recall: z.number(), support: z.number() }));
const Curves = z.object({
  epoch: z.array(z.number()).min(1),
  train_loss: z.array(z.number()).min(1),
  validation_accuracy: z.array(z.number()).min(1),
});

export type PerClass = z.infer<typeof PerClass>;
export type Curves = z.infer<typeof Curves>;
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
