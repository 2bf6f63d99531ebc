// Series: tables of counters that go on, begin anew or fall, and the property that nothing is lost on the way from minutes to days.
import type { InferenceStats, Observed, Telemetry } from "@context-edge/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addCells, type Cell, COLUMNS, inferenceCell, readCell, samplesOf, telemetryCell } from "./series.ts";
import { addInto, blockMs, type Cells, floorTo, pack, rollUp, STEPS, unpack } from "./series-pack.ts";

const NOON = "2026-01-01T12:00:00.000Z";
const stats = (some: Partial<InferenceStats>): InferenceStats => ({
  since: "2026-01-01T10:00:00.000Z",
  digest: "a".repeat(64),
  predictions: 100,
  errors: 1,
  avg_ms: 10,
  ...some,
});
const before = (some: Partial<InferenceStats> = {}) => ({ at: NOON, stats: stats(some) });
const told = (cell: Cell | null) => cell && readCell("inference", cell);

describe("two counter reports in a row", () => {
  test.each([
    ["go on", before(), stats({ predictions: 160, avg_ms: 13 }), [60, 0, 60, 108_000]],
    ["stand still", before(), stats({}), null],
    ["count errors alone", before(), stats({ errors: 4 }), [0, 3, 0, 0]],
    ["begin anew with another file", before(), stats({ digest: "b".repeat(64), predictions: 30 }), [30, 1, 30, 30_000]],
    ["begin anew with another activation", before(), stats({ since: NOON, predictions: 130 }), [130, 1, 130, 130_000]],
    ["begin anew when the service was restarted", before(), stats({ predictions: 7, errors: 0 }), [7, 0, 7, 7_000]],
    ["have no time of their own", before({ avg_ms: null }), stats({ predictions: 160 }), [60, 0, 0, 0]],
    ["know no time at all", before(), stats({ predictions: 160, avg_ms: null }), [60, 0, 0, 0]],
    ["have a mean that fell below what is possible", before(), stats({ predictions: 160, avg_ms: 1 }), [60, 0, 0, 0]],
    ["come after nothing is known", null, stats({}), null],
    ["come after a report without counters, of an older activation", { at: NOON, stats: null }, stats({}), null],
    [
      "come after a report without counters, of a newer activation",
      { at: NOON, stats: null },
      stats({ since: NOON }),
      [100, 1, 100, 100_000],
    ],
    ["end without counters", before(), null, null],
    ["are absurd", before(), stats({ predictions: Number.MAX_SAFE_INTEGER, avg_ms: 1e300 }), [1e12, 0, 1e12, 1e12]],
  ] as const)("that %s", (_, earlier, later, expected) => {
    const cell = told(inferenceCell(earlier, later));
    if (expected === null) return expect(cell).toBeNull();
    const [predictions, errors, timed, latency] = expected;
    expect(cell).toEqual({ predictions, errors, timed, latency });
  });
});

const telemetry = (some: Partial<Telemetry>): Telemetry => ({
  at: NOON,
  cpu_percent: null,
  gpu_percent: null,
  temperatures_c: {},
  power_mw: {},
  power_mode: null,
  overcurrent_events: null,
  memory_total_bytes: null,
  memory_available_bytes: null,
  disk_total_bytes: null,
  disk_free_bytes: null,
  network: [],
  uptime_s: null,
  ...some,
});

test("sensors: the GPU's zone and the main rail are taken, and what cannot be read is no zero", () => {
  const cell = telemetryCell(
    telemetry({
      temperatures_c: { "cpu-thermal": 70, "gpu-thermal": 55.5 },
      power_mw: { VDD_IN: 12_400, VDD_SOC: 2_000 },
    }),
  );
  expect(cell && readCell("telemetry", cell)).toMatchObject({
    heats: 1,
    hottest: 555,
    power: 124,
    loads: 0,
    memories: 0,
  });
  expect(telemetryCell(telemetry({}))).toBeNull();
  const cold = telemetryCell(telemetry({ temperatures_c: { outside: -20 } })) ?? [];
  const blind = telemetryCell(telemetry({ gpu_percent: 5 })) ?? [];
  expect(readCell("telemetry", addCells("telemetry", blind, cold))).toMatchObject({ heats: 1, hottest: -200, load: 5 });
});

test("a model that runs under no version, and a first report, add nothing to inference", () => {
  const observed = (current: boolean): Observed => ({
    at: NOON,
    phase: "idle",
    inventory: { agent_version: "t", arch: "arm64" },
    models: {
      default: {
        current: current ? { version: "v1", digest: "a".repeat(64) } : null,
        backup: null,
        current_since: null,
        attempt: null,
        waiting: null,
        last_outcome: null,
        quarantined: [],
        stats: stats({ since: NOON }),
      },
    },
    hold: null,
    telemetry: null,
    trouble: null,
    manifest_sequence: null,
    status_url: null,
  });
  expect(samplesOf(null, observed(true))).toEqual([]);
  const empty = { ...observed(true), models: {} };
  expect(samplesOf(empty, observed(false))).toEqual([]);
  expect(samplesOf(empty, observed(true))).toMatchObject([{ kind: "inference", model: "default", version: "v1" }]);
});

const cells = (kind: "inference" | "telemetry") =>
  fc.array(
    fc.tuple(
      fc.integer({ min: 0, max: 3 * 1_440 }),
      fc
        .tuple(...COLUMNS[kind].map((_, index) => fc.integer({ min: index < 4 ? 0 : -1e6, max: 1e9 })))
        // Where there was no reading there is no greatest one.
        .map((cell) => cell.map((value, index) => (index === 5 && cell[0] === 0 ? 0 : value))),
    ),
    { maxLength: 60 },
  );
const START = Date.parse("2026-01-01T00:00:00.000Z");
const asCells = (kind: "inference" | "telemetry", rows: readonly (readonly [number, Cell])[]) => {
  const all: Cells = new Map();
  for (const [minute, cell] of rows) addInto(kind, all, START + minute * 60_000, cell);
  return all;
};

describe.each(["inference", "telemetry"] as const)("cells of %s", (kind) => {
  test("give the same sums by the day in whatever order they come and however often they are rolled up", () => {
    fc.assert(
      fc.property(cells(kind), fc.infiniteStream(fc.nat()), (rows, random) => {
        const shuffled = rows.map((row) => [random.next().value ?? 0, row] as const).toSorted(([a], [b]) => a - b);
        const direct = rollUp(kind, asCells(kind, rows), STEPS.day.stepMs);
        const other = asCells(
          kind,
          shuffled.map(([, row]) => row),
        );
        const byHours = rollUp(kind, rollUp(kind, other, STEPS.hour.stepMs), STEPS.day.stepMs);
        const sorted = (map: Cells) => [...map].toSorted(([a], [b]) => a - b);
        expect(sorted(byHours)).toEqual(sorted(direct));
        if (kind === "inference") {
          const sum = (all: Iterable<Cell>) => [...all].reduce((total, cell) => total + (cell[0] ?? 0), 0);
          expect(sum(direct.values())).toBe(sum(rows.map(([, cell]) => cell)));
        }
      }),
    );
  });

  test("come back from a packed block as they went in", () => {
    fc.assert(
      fc.property(
        cells(kind),
        fc.constantFrom("minute" as const, "hour" as const, "day" as const),
        (rows, resolution) => {
          const { stepMs } = STEPS[resolution];
          const all = rollUp(kind, asCells(kind, rows), stepMs);
          for (const [atMs] of all) {
            const from = floorTo(blockMs(resolution), atMs);
            const block: Cells = new Map([...all].filter(([at]) => floorTo(blockMs(resolution), at) === from));
            const back = unpack(kind, pack(kind, block, from, stepMs), from, stepMs);
            expect([...back]).toEqual([...block].toSorted(([a], [b]) => a - b));
          }
        },
      ),
    );
  });
});

test("blocks that earlier releases wrote are read as they were", () => {
  const at = (minute: number) => minute * 60_000;
  const inference = unpack("inference", "b;a+2-5;=;dw-1o+2s;0", at(60), 60_000);
  expect([...inference]).toEqual([
    [at(60), [10, 10, 500, 0]],
    [at(61), [12, 12, 440, 0]],
    [at(63), [7, 7, 540, 0]],
  ]);
  expect([...unpack("telemetry", "1;1;=;0;=;fa;=;3c;0;=", at(0), 60_000)]).toEqual([
    [at(0), [1, 1, 0, 0, 550, 550, 120, 0, 0]],
  ]);
});

test("text that is none of ours gives no cells and no error", () => {
  for (const text of ["", ";;", "zzz!;-", "NaN;=;=;=", "~", "~!!", `~${"_".repeat(40)}`])
    expect(() => unpack("inference", text, 0, 60_000)).not.toThrow();
  for (const text of ["", "~"]) expect(unpack("inference", text, 0, 60_000).size).toBe(0);
});
