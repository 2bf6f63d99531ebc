// Verdicts at, under and over every limit: the same figures always give the same answer.
import { type Measurement, ProbePolicy } from "@context-edge/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { judgeCandidate } from "./health.ts";
import type { Examination } from "./steps.ts";

const DIGEST = "a".repeat(64);
const policy = ProbePolicy.parse({ baseline_ratio: 1.25, baseline_floor_ms: 2, min_samples: 20 });

function measured(p95: number, more: Partial<Measurement> = {}): Measurement {
  return {
    samples: 100,
    errors: 0,
    mean_ms: p95,
    p50_ms: p95,
    p95_ms: p95,
    max_ms: p95,
    at: "2026-01-01T00:00:00Z",
    tags: {},
    ...more,
  };
}
function examined(more: Partial<Examination>): Examination {
  return {
    ready: true,
    crash: null,
    identity: "confirmed",
    golden: null,
    measurement: measured(5),
    detail: "",
    ...more,
  };
}

test.each([
  { what: "exactly at baseline × ratio + floor", p95: 14.5, verdict: "pass", code: "OK" },
  { what: "a hair over it", p95: 14.501, verdict: "fail", code: "LATENCY_OVER_BASELINE" },
  { what: "far under it", p95: 1, verdict: "pass", code: "OK" },
])("a p95 of $p95 ms against a baseline of 10 ms, $what, is $code", ({ p95, verdict, code }) => {
  const judged = judgeCandidate(examined({ measurement: measured(p95) }), policy, measured(10), DIGEST);
  expect(judged).toMatchObject({ verdict, code, evidence: { limit_p95_ms: 14.5 } });
});

test.each([
  { what: "not ready", found: { ready: false }, verdict: "fail", code: "NOT_READY" },
  {
    what: "fault 42: a process that ends again and again",
    found: { ready: false, crash: "the unit ended 3 times" },
    verdict: "fail",
    code: "CRASH_LOOP",
  },
  {
    what: "another file served",
    found: { identity: { servesDigest: "b".repeat(64) } },
    verdict: "fail",
    code: "IDENTITY_MISMATCH",
  },
  {
    what: "a golden sample wrong",
    found: { golden: { checked: 4, failed: 1 } },
    verdict: "fail",
    code: "GOLDEN_MISMATCH",
  },
  { what: "errors at the limit", found: { measurement: measured(5, { errors: 1 }) }, verdict: "pass", code: "OK" },
  {
    what: "errors over the limit",
    found: { measurement: measured(5, { errors: 2 }) },
    verdict: "fail",
    code: "ERRORS_OVER_LIMIT",
  },
  {
    what: "too few samples",
    found: { measurement: measured(5, { samples: 19 }) },
    verdict: "inconclusive",
    code: "TOO_FEW_SAMPLES",
  },
  {
    what: "few samples because it is so slow",
    found: { measurement: measured(900, { samples: 11 }) },
    verdict: "fail",
    code: "LATENCY_OVER_BASELINE",
  },
  {
    what: "another power mode than before",
    found: { measurement: measured(5, { tags: { power_mode: "1" } }) },
    verdict: "inconclusive",
    code: "POWER_MODE_CHANGED",
  },
  {
    what: "fault 46: not ready, and the service says that its GPU is full",
    found: { ready: false, detail: "default: Internal: CUDA_ERROR_OUT_OF_MEMORY" },
    verdict: "fail",
    code: "OUT_OF_GPU_MEMORY",
  },
  {
    what: "answers that were counted and not timed, under a limit",
    found: { measurement: measured(5, { p50_ms: null, p95_ms: null }) },
    verdict: "inconclusive",
    code: "NOT_TIMED",
  },
  { what: "nothing measurable", found: { measurement: null }, verdict: "pass", code: "OK" },
  { what: "an identity nobody confirms", found: { identity: "unconfirmed" }, verdict: "pass", code: "OK" },
] as const)("$what: $verdict with $code", ({ found, verdict, code }) => {
  expect(judgeCandidate(examined(found), policy, measured(10), DIGEST)).toMatchObject({ verdict, code });
});

test("the tighter of absolute limit and baseline decides, and the sentence says which", () => {
  const strict = { ...policy, max_p95_ms: 12 };
  const judged = judgeCandidate(examined({ measurement: measured(13) }), strict, measured(10), DIGEST);
  expect(judged.code).toBe("LATENCY_OVER_LIMIT");
  expect(judged.message).toBe("p95 was 13.0 ms, allowed 12.0 ms (the absolute limit of the policy)");
});

test("the sentence of a slow model carries the baseline it was compared with", () => {
  const lenient = { ...policy, baseline_floor_ms: 25 };
  const judged = judgeCandidate(examined({ measurement: measured(84.2) }), lenient, measured(1.9), DIGEST);
  expect(judged.message).toBe("p95 was 84.2 ms, allowed 27.4 ms (baseline 1.9 ms × 1.25 + 25 ms)");
});

test("a probe that cannot measure proves no absolute limit", () => {
  const strict = { ...policy, max_p95_ms: 12 };
  const judged = judgeCandidate(examined({ measurement: null }), strict, null, DIGEST);
  expect(judged).toMatchObject({ verdict: "inconclusive", code: "NOT_TIMED" });
});

test("without a baseline and without a limit, any latency passes", () => {
  expect(judgeCandidate(examined({ measurement: measured(5_000) }), policy, null, DIGEST).verdict).toBe("pass");
});

test("fault 44: at the limit it passes, one step of the number line above it fails, whatever the figures", () => {
  const figure = fc.double({ min: 0.1, max: 1_000, noNaN: true });
  const ratio = fc.double({ min: 1, max: 3, noNaN: true });
  const above = (value: number) => {
    const bits = new BigUint64Array(new Float64Array([value]).buffer);
    bits[0] = (bits[0] ?? 0n) + 1n;
    return new Float64Array(bits.buffer)[0] ?? value;
  };
  fc.assert(
    fc.property(figure, ratio, figure, (baseline, baseline_ratio, baseline_floor_ms) => {
      const limits = { ...policy, baseline_ratio, baseline_floor_ms };
      const limit = baseline * baseline_ratio + baseline_floor_ms;
      const judge = (p95: number) =>
        judgeCandidate(examined({ measurement: measured(p95, { p50_ms: 0.01 }) }), limits, measured(baseline), DIGEST)
          .verdict;
      expect([judge(limit), judge(above(limit)), judge(limit)]).toEqual(["pass", "fail", "pass"]);
    }),
  );
});

const hot = { junction_c: "97.0", junction_trip_c: "99.0" };
test.each<[string, number, Record<string, string>, Record<string, string>, string]>([
  ["slow and over-current throttled it", 50, { overcurrent_events: "3" }, {}, "THROTTLED"],
  ["slow and the junction is near its trip point", 50, hot, {}, "THROTTLED"],
  ["slow and the clock is far down", 50, { gpu_clock_share: "0.40" }, { gpu_clock_share: "0.98" }, "THROTTLED"],
  [
    "slow, and the clock was down before too",
    50,
    { gpu_clock_share: "0.40" },
    { gpu_clock_share: "0.41" },
    "LATENCY_OVER_BASELINE",
  ],
  ["slow on a cool device", 50, { ...hot, junction_c: "60.0", overcurrent_events: "0" }, {}, "LATENCY_OVER_BASELINE"],
  ["fast although it was hot", 5, hot, {}, "OK"],
  ["slower even than a baseline that was throttled", 50, {}, { overcurrent_events: "2" }, "LATENCY_OVER_BASELINE"],
  ["within what a throttled baseline allows", 14, {}, { overcurrent_events: "2" }, "OK"],
])("%s", (_, p95, tags, before, code) => {
  const judged = judgeCandidate(
    examined({ measurement: measured(p95, { tags }) }),
    policy,
    measured(10, { tags: before }),
    DIGEST,
  );
  expect(judged.code).toBe(code);
  if (code === "THROTTLED") expect(judged.verdict).toBe("inconclusive");
});

test("heat excuses no wrong answer and no error", () => {
  const golden = examined({ golden: { checked: 4, failed: 1 }, measurement: measured(50, { tags: hot }) });
  expect(judgeCandidate(golden, policy, measured(10), DIGEST).code).toBe("GOLDEN_MISMATCH");
  const errors = examined({ measurement: measured(50, { errors: 9, tags: hot }) });
  expect(judgeCandidate(errors, policy, measured(10), DIGEST).code).toBe("ERRORS_OVER_LIMIT");
});
