// What trtexec prints and exports, in the generations of TensorRT 8 to 11. Formats from NVIDIA's source; never seen on hardware here.
import { z } from "zod";

export interface TrtexecSummary {
  /** `PASSED` was printed: the exit code alone is not enough. */
  passed: boolean;
  /** `100300` of `[TensorRT v100300]`. */
  version: string | null;
  /** From throughput and wall time; 0 when they were not printed. */
  samples: number;
  minMs: number | null;
  maxMs: number | null;
  meanMs: number | null;
  medianMs: number | null;
  /** By percent, as printed: `{95: 8.7}`. */
  percentilesMs: Record<number, number>;
  /** The first line of what went wrong. */
  error: string;
}

const BANNER = /&&&& (?<verdict>PASSED|FAILED) TensorRT\.trtexec(?: \[TensorRT v(?<version>\d+)\])?/;
/** The whole request; 8.2 and older print the end-to-end time beside it, which overlaps transfers and is not taken. */
const LATENCY = /^(?:\[[^\]]*\] \[[A-Z]\] )?Latency: (?<figures>.*)$/m;

export function parseTrtexec(output: string): TrtexecSummary {
  const banner = BANNER.exec(output)?.groups;
  const figures = LATENCY.exec(output)?.groups?.["figures"] ?? "";
  const figure = (name: string) => numberOf(new RegExp(`(?:^|, )${name} = ([\\d.]+|inf|nan) ms`).exec(figures)?.[1]);
  const percentiles = [...figures.matchAll(/percentile\((\d+)%\) = ([\d.]+) ms/g)];
  return {
    passed: banner?.["verdict"] === "PASSED",
    version: banner?.["version"] ?? null,
    samples: samplesOf(output),
    minMs: figure("min"),
    maxMs: figure("max"),
    meanMs: figure("mean"),
    medianMs: figure("median"),
    percentilesMs: Object.fromEntries(percentiles.map(([, percent, ms]) => [Number(percent), Number(ms)])),
    error: /^\[[^\]]*\] \[E\] (?<text>.*)$/m.exec(output)?.groups?.["text"] ?? "",
  };
}

function samplesOf(output: string): number {
  const perSecond = numberOf(/Throughput: ([\d.]+) qps/.exec(output)?.[1]);
  const seconds = numberOf(/Total Host Walltime: ([\d.]+) s/.exec(output)?.[1]);
  return Math.round((perSecond ?? 0) * (seconds ?? 0));
}

function numberOf(text: string | undefined): number | null {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) ? value : null;
}

const Times = z.array(z.looseObject({ latencyMs: z.unknown().optional(), computeMs: z.unknown().optional() }));

/**
 * `--exportTimes`: one object per inference, warm-up excluded. It may hold `inf` and `nan`, which is no JSON; those are
 * left out. Timestamps are printed with six digits and cannot be subtracted, so only durations are read.
 * @returns latencies in milliseconds; empty when the file is not what it should be
 */
export function parseTimes(text: string): number[] {
  try {
    const parsed = Times.safeParse(JSON.parse(text.replaceAll(/(?<=[:,[]\s*)-?(?:inf|nan)(?=\s*[,}\]])/gi, "null")));
    if (!parsed.success) return [];
    return parsed.data.flatMap(({ latencyMs, computeMs }) => {
      const time = typeof latencyMs === "number" ? latencyMs : computeMs;
      return typeof time === "number" && time > 0 ? [time] : [];
    });
  } catch {
    return [];
  }
}
