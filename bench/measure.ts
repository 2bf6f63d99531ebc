// How benches measure: contestants take turns in the same run, medians are told, and the machine is written beside them.
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type Sample = Readonly<Record<string, number>>;
export type Contestants = Readonly<Record<string, (round: number) => Promise<Sample>>>;
export type Medians = Record<string, Record<string, number>>;

/** A median of fewer rounds says more about the neighbours on the machine than about the work. */
export const LEAST_ROUNDS = 7;

/**
 * Rounds in pairs: in each every contestant runs once, the order turned around from round to round, so that what slows
 * the machine down for a while slows all of them. One round beforehand is not counted.
 */
export async function pairedRounds(contestants: Contestants, rounds: number): Promise<Record<string, Sample[]>> {
  const names = Object.keys(contestants);
  const samples: Record<string, Sample[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const sample = await contestants[name]?.(round);
      if (round > 0 && sample) samples[name]?.push(sample);
    }
  }
  return samples;
}

export function mediansOf(samples: Record<string, Sample[]>): Medians {
  return Object.fromEntries(
    Object.entries(samples).map(([name, rows]) => {
      const keys = Object.keys(rows[0] ?? {});
      return [name, Object.fromEntries(keys.map((key) => [key, median(rows.map((row) => row[key] ?? Number.NaN))]))];
    }),
  );
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const [low = Number.NaN, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}

/** Median over the rounds of one contestant's value divided by the other's in the same round. */
export function medianRatio(over: readonly Sample[], under: readonly Sample[], key: string): number {
  return median(over.map((sample, round) => (sample[key] ?? Number.NaN) / (under[round]?.[key] ?? Number.NaN)));
}

export interface Result {
  bench: string;
  rounds: number;
  medians: Medians;
  ratios: Record<string, number>;
  samples: Record<string, Sample[]>;
}

/** Prints the figures and keeps them, with the machine, under `.artifacts/bench/`. */
export async function keep(result: Result): Promise<void> {
  const path = join(dirname(fileURLToPath(import.meta.url)), "..", ".artifacts", "bench", `${result.bench}.json`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify({ ...result, machine: machineFacts() }, null, 2));
  console.log(`\n${result.bench}, medians of ${result.rounds} rounds`);
  console.table(rounded(result.medians));
  if (Object.keys(result.ratios).length > 0) console.table(rounded({ ratio: result.ratios }));
  console.log(`kept in ${path}`);
}

function rounded(table: Medians): Medians {
  const short = (values: Record<string, number>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Number(value.toPrecision(4))]));
  return Object.fromEntries(Object.entries(table).map(([name, values]) => [name, short(values)]));
}

function machineFacts() {
  return {
    at: new Date().toISOString(),
    node: process.version,
    arch: process.arch,
    kernel: release(),
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? "unknown",
    memoryMb: Math.round(totalmem() / 1024 / 1024),
  };
}
