// Figures over time, for charts: `GET /api/v1/series` and `/api/v1/series/labels`.
import { z } from "zod";
import { DeviceId, Fraction, GroupName, ModelName, QueryTime, Timestamp, VersionId } from "./names.ts";
import { Outcome } from "./words.ts";

export const SeriesKind = z.enum(["inference", "telemetry"]);
export type SeriesKind = z.infer<typeof SeriesKind>;

export const Resolution = z.enum(["minute", "hour", "day"]);
/** How much time one point stands for. */
export type Resolution = z.infer<typeof Resolution>;

/** Points of one answer, at most. */
export const MOST_POINTS = 1_500;

const Range = {
  model: ModelName.optional(),
  /** Default: 24 hours before `to`; of a deployment, its beginning. */
  from: QueryTime.optional(),
  /** Default: now. */
  to: QueryTime.optional(),
};

/** Of one device, one group, the groups and version of one deployment, or without any of them of the whole fleet. */
export const SeriesQuery = z
  .object({
    kind: SeriesKind.default("inference"),
    device: DeviceId.optional(),
    group: GroupName.optional(),
    deployment: z.string().max(64).optional(),
    version: VersionId.optional(),
    ...Range,
    /** `auto`: the finest that is still kept for this range and does not give too many points. */
    resolution: z.enum(["auto", ...Resolution.options]).default("auto"),
  })
  .refine(
    ({ device, group, deployment }) => [device, group, deployment].filter((one) => one !== undefined).length <= 1,
    "name a device, a group or a deployment, not several",
  );
export type SeriesQuery = z.infer<typeof SeriesQuery>;

export const SeriesMark = z.object({
  at: Timestamp,
  device: DeviceId,
  kind: Outcome.extract(["committed", "rolled-back"]),
  model: ModelName,
  version: VersionId,
});
/** The moment at which a device swapped, or swapped back, as the hub heard of it. */
export type SeriesMark = z.infer<typeof SeriesMark>;

export const SeriesPoint = z.object({
  /** Start of the minute, hour or day (UTC), by the hub's clock. */
  at: Timestamp,
  /** Kind `inference`. */
  predictions: z.number().int().optional(),
  errors: z.number().int().optional(),
  error_share: Fraction.nullable().optional(),
  avg_ms: z.number().nullable().optional(),
  /** Kind `telemetry`; null where no device could read it. */
  temperature_c: z.number().nullable().optional(),
  temperature_max_c: z.number().nullable().optional(),
  /** Per device. */
  power_w: z.number().nullable().optional(),
  gpu_percent: z.number().nullable().optional(),
  memory_used_bytes: z.number().nullable().optional(),
});
export type SeriesPoint = z.infer<typeof SeriesPoint>;

export const Series = z.object({
  resolution: Resolution,
  from: Timestamp,
  to: Timestamp,
  marks: z.array(SeriesMark),
  /** In order; a minute without any report has no point. */
  points: z.array(SeriesPoint),
  /** The range held more than is answered: the oldest points, or marks, are left out. */
  truncated: z.boolean(),
});
export type Series = z.infer<typeof Series>;

export const LabelSeriesQuery = z.object({
  version: VersionId,
  ...Range,
  resolution: z.enum(["auto", "hour", "day"]).default("auto"),
});

const Rate = z.object({
  /** Null: no labels that could tell. */
  share: Fraction.nullable(),
  /** 95 %, Wilson. */
  low: Fraction,
  high: Fraction,
});
export type Rate = z.infer<typeof Rate>;

export const LabelPoint = z.object({
  at: Timestamp,
  labelled: z.number().int(),
  accuracy: Rate,
  false_positive: Rate,
  false_negative: Rate,
});
export type LabelPoint = z.infer<typeof LabelPoint>;

export const LabelSeries = z.object({
  resolution: Resolution.extract(["hour", "day"]),
  from: Timestamp,
  to: Timestamp,
  points: z.array(LabelPoint),
  truncated: z.boolean(),
});
export type LabelSeries = z.infer<typeof LabelSeries>;
