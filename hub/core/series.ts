// What a device's counters and sensors were over time: from two reports in a row to one cell, and cells added to one another.
import type { InferenceStats, Observed, SeriesKind, Telemetry } from "@context-edge/protocol";

/** Whole numbers, one per column of its kind, so that adding cells in any order gives the same. */
export type Cell = readonly number[];

interface Column {
  name: string;
  /** Greatest value instead of the sum; counts only where the column of that name is not 0. */
  greatestWhere?: string;
}

/** Neighbours that are often equal stand together: packing writes the second one as "the same". */
const COLUMNS_OF = {
  /** `timed`: predictions whose time is known; `latency` in hundredths of a millisecond, of all of those together. */
  inference: [{ name: "predictions" }, { name: "timed" }, { name: "latency" }, { name: "errors" }],
  /** Heat in tenths of a degree, power in tenths of a watt, load in percent, memory in MiB, each with its number of readings. */
  telemetry: [
    { name: "heats" },
    { name: "powers" },
    { name: "loads" },
    { name: "memories" },
    { name: "heat" },
    { name: "hottest", greatestWhere: "heats" },
    { name: "power" },
    { name: "load" },
    { name: "memory" },
  ],
} as const satisfies Record<SeriesKind, readonly Column[]>;
type NameOf<K extends SeriesKind> = (typeof COLUMNS_OF)[K][number]["name"];

export const COLUMNS: Record<SeriesKind, readonly Column[]> = COLUMNS_OF;

/** No honest report comes near; a thousand devices of this still add up exactly. */
const MOST = 1e12;

const whole = (value: number) => (Number.isNaN(value) ? 0 : Math.round(Math.min(MOST, Math.max(-MOST, value))));

export function cellOf<K extends SeriesKind>(kind: K, values: Partial<Record<NameOf<K>, number>>): Cell {
  const given: Partial<Record<string, number>> = values;
  return COLUMNS[kind].map(({ name }) => whole(given[name] ?? 0));
}

export function readCell<K extends SeriesKind>(kind: K, cell: Cell): Record<NameOf<K>, number> {
  return Object.fromEntries(COLUMNS[kind].map(({ name }, index) => [name, cell[index] ?? 0])) as Record<
    NameOf<K>,
    number
  >;
}

export function addCells(kind: SeriesKind, one: Cell, other: Cell): Cell {
  const columns = COLUMNS[kind];
  return columns.map(({ greatestWhere }, index) => {
    const [a, b] = [one[index] ?? 0, other[index] ?? 0];
    if (greatestWhere === undefined) return a + b;
    const count = columns.findIndex(({ name }) => name === greatestWhere);
    if ((one[count] ?? 0) === 0) return b;
    return (other[count] ?? 0) === 0 ? a : Math.max(a, b);
  });
}

/**
 * What happened between two reports of one model. Counters begin anew with another file, another activation, or when they fall.
 * @param before null: nothing is known of the time before, so what the counters hold belongs to no particular minute
 * @returns null when nothing happened, or nobody can say when
 */
export function inferenceCell(
  before: { at: string; stats: InferenceStats | null } | null,
  after: InferenceStats | null,
): Cell | null {
  if (before === null || after === null) return null;
  const base = before.stats;
  const startedSince = Date.parse(after.since) >= Date.parse(before.at);
  if (base === null && !startedSince) return null;
  const goesOn =
    base !== null &&
    base.digest === after.digest &&
    base.since === after.since &&
    base.predictions <= after.predictions &&
    base.errors <= after.errors;
  const [predictions, errors] = goesOn
    ? [after.predictions - base.predictions, after.errors - base.errors]
    : [after.predictions, after.errors];
  if (predictions + errors === 0) return null;
  const earlierMs = goesOn ? totalMs(base) : 0;
  const laterMs = totalMs(after);
  const isTimed = earlierMs !== null && laterMs !== null && laterMs >= earlierMs;
  return cellOf("inference", {
    predictions,
    errors,
    timed: isTimed ? predictions : 0,
    latency: isTimed ? (laterMs - earlierMs) * 100 : 0,
  });
}

/** `avg_ms` is the mean since activation: times the predictions it is a sum, and sums can be taken apart. */
function totalMs({ predictions, avg_ms }: InferenceStats): number | null {
  if (predictions === 0) return 0;
  return avg_ms === null ? null : avg_ms * predictions;
}

export function telemetryCell(telemetry: Telemetry | null): Cell | null {
  if (telemetry === null) return null;
  const heat = heatOf(telemetry.temperatures_c);
  const power = powerOf(telemetry.power_mw);
  const { gpu_percent: load, memory_total_bytes: total, memory_available_bytes: available } = telemetry;
  const memory = total === null || available === null ? null : total - available;
  if (heat === null && power === null && load === null && memory === null) return null;
  return cellOf("telemetry", {
    ...(heat === null ? {} : { heats: 1, heat: heat * 10, hottest: heat * 10 }),
    ...(power === null ? {} : { powers: 1, power: power / 100 }),
    ...(load === null ? {} : { loads: 1, load }),
    ...(memory === null ? {} : { memories: 1, memory: memory / 2 ** 20 }),
  });
}

/** The GPU's zone, else the junction's, else the hottest there is. */
function heatOf(zones: Telemetry["temperatures_c"]): number | null {
  const all = Object.entries(zones);
  for (const wanted of ["gpu", "tj"]) {
    const found = all.find(([name]) => name.toLowerCase().startsWith(wanted));
    if (found) return found[1];
  }
  return all.length === 0 ? null : Math.max(...all.map(([, value]) => value));
}

/** The rail that everything passes through; rails overlap, so where there is none their sum is an upper bound. */
function powerOf(rails: Telemetry["power_mw"]): number | null {
  const all = Object.entries(rails);
  const main = all.find(([name]) => /^(VDD_IN|POM_5V_IN)$/i.test(name));
  if (main) return main[1];
  return all.length === 0 ? null : all.reduce((sum, [, value]) => sum + value, 0);
}

export interface Sample {
  kind: SeriesKind;
  model: string;
  version: string;
  cell: Cell;
}

/** Everything that one report adds to the series of its device. */
export function samplesOf(before: Observed | null, after: Observed): Sample[] {
  const inference = Object.entries(after.models).flatMap(([model, { current, backup, stats }]) => {
    const earlier = before && { at: before.at, stats: before.models[model]?.stats ?? null };
    const cell = inferenceCell(earlier, stats);
    // Counters name the file; right after a swap they may still be those of the one before.
    const counted = [current, backup].find((one) => one?.digest === stats?.digest);
    return cell && counted ? [{ kind: "inference" as const, model, version: counted.version, cell }] : [];
  });
  const cell = telemetryCell(after.telemetry);
  return cell ? [...inference, { kind: "telemetry", model: "", version: "", cell }] : inference;
}
