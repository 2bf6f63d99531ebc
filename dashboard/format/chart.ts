// Points of the hub's series as a chart wants them: aligned columns, gaps where nothing was heard, and one sentence for who cannot see it. Pure.
export interface Line {
  label: string;
  /** Which of the theme's three chart colours. */
  colour: 1 | 2 | 3;
  /** Milliseconds since the epoch, and the value; null where it is not known. */
  points: readonly (readonly [atMs: number, value: number | null])[];
  /** Around each point, what the truth may be: drawn as a band. */
  band?: readonly (readonly [low: number | null, high: number | null])[];
}

export interface Mark {
  atMs: number;
  label: string;
}

/** Columns by time in seconds, as uPlot takes them; a line without a point at a time has null there. */
export function alignedColumns(lines: readonly Line[], stepMs: number): (number | null)[][] {
  const times = [...new Set(lines.flatMap(({ points }) => points.map(([atMs]) => atMs)))].toSorted((a, b) => a - b);
  const usualMs = Math.max(stepMs, usualPause(times));
  const withGaps = times.flatMap((atMs, index) => {
    const next = times[index + 1];
    // A hole in time is a hole in the line, not a bridge across it. Devices that report seldom have no hole between two reports.
    return next !== undefined && next - atMs > usualMs * 2.5 ? [atMs, atMs + stepMs] : [atMs];
  });
  return [
    withGaps.map((atMs) => atMs / 1_000),
    ...lines.flatMap((line) => {
      const byTime = new Map(line.points);
      const values = withGaps.map((atMs) => byTime.get(atMs) ?? null);
      if (!line.band) return [values];
      const band = new Map(line.points.map(([atMs], index) => [atMs, line.band?.[index]] as const));
      return [
        values,
        withGaps.map((atMs) => band.get(atMs)?.[0] ?? null),
        withGaps.map((atMs) => band.get(atMs)?.[1] ?? null),
      ];
    }),
  ];
}

function usualPause(times: readonly number[]): number {
  const pauses = times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs));
  return pauses.toSorted((a, b) => a - b)[Math.floor(pauses.length / 2)] ?? 0;
}

export interface PlacedLabel {
  x: number;
  text: string;
  align: "left" | "right";
}

/**
 * Names of marks in one row above a chart: those too near each other to be read become one, and none leaves the chart.
 *
 * @param marks where each stands, in pixels from the left, in this order
 * @param widthOf pixels that a text takes
 */
export function placeLabels(
  marks: readonly { x: number; label: string }[],
  widthOf: (text: string) => number,
  width: number,
): PlacedLabel[] {
  const GAP = 8;
  const groups: { x: number; texts: string[] }[] = [];
  const textOf = ({ texts }: { texts: string[] }) => texts.join(", ");
  for (const { x, label } of marks) {
    const last = groups.at(-1);
    if (!last || last.x + widthOf(textOf(last)) + GAP < x) groups.push({ x, texts: [label] });
    else if (!last.texts.includes(label)) last.texts.push(label);
  }
  return groups.map((group) => {
    const text = textOf(group);
    return { x: group.x, text, align: group.x + widthOf(text) > width ? "right" : "left" };
  });
}

/** "v2.1: 8.1 ms to 8.4 ms, last 8.2 ms. v2.0: …" */
export function chartInWords(lines: readonly Line[], format: (value: number) => string): string {
  const sentences = lines.map(({ label, points }) => {
    const values = points.flatMap(([, value]) => (value === null ? [] : [value]));
    const last = values.at(-1);
    if (last === undefined) return `${label}: no figures yet`;
    return `${label}: ${format(Math.min(...values))} to ${format(Math.max(...values))}, last ${format(last)}`;
  });
  return `${sentences.join(". ")}.`;
}

/** Nothing of it can be drawn. */
export const isEmpty = (lines: readonly Line[]) =>
  lines.every(({ points }) => points.every(([, value]) => value === null));
