// What an engineer may write into the plan, and what becomes of it.
import { expect, test } from "vitest";
import { newPlan, planOfForm, readMaxBad, readWaves } from "./plan-form.ts";

test.each<[string, object[]]>([
  ["1, 10%, 100%", [{ count: 1 }, { share: 0.1 }, { share: 1 }]],
  ["100%", [{ share: 1 }]],
  [" 5 ,100 % ", [{ count: 5 }, { share: 1 }]],
])("waves %j are read", (text, sizes) => {
  expect(readWaves(text)).toEqual({ ok: true, value: sizes });
});

test.each([
  ["", /at least one wave/],
  ["1, ten, 100%", /"ten"/],
  ["0, 100%", /"0"/],
  ["150%", /"150%"/],
  ["1, 50%", /last wave must be 100%/],
  ["1, 5", /last wave must be 100%/],
])("waves %j are refused with the reason", (text, why) => {
  expect(readWaves(text)).toMatchObject({ ok: false, why: expect.stringMatching(why) });
});

test.each<[string, object | null]>([
  ["0", { count: 0 }],
  ["2", { count: 2 }],
  ["5%", { share: 0.05 }],
  ["0%", { count: 0 }],
  ["few", null],
])("%j devices may fail: %j", (text, value) => {
  const read = readMaxBad(text);
  expect(read.ok ? read.value : null).toEqual(value);
});

test("a plan is what the hub takes, with the preview's id when there is one", () => {
  const form = { ...newPlan("v2.1", 24), groups: ["line-1"], startAt: "2026-03-01T06:00", reason: " asked for " };
  expect(planOfForm(form, "dep-000000000-0000000000")).toEqual({
    ok: true,
    value: {
      id: "dep-000000000-0000000000",
      version: "v2.1",
      groups: ["line-1"],
      waves: [{ count: 1 }, { share: 0.25 }, { share: 1 }],
      together: false,
      gate: { soak_seconds: 86_400, require_labels: false },
      promote: "by-hand",
      on_fail: "halt",
      max_bad: { count: 0 },
      start_at: new Date("2026-03-01T06:00").toISOString(),
      reason: "asked for",
    },
  });
});

test.each([
  [{ groups: [] }, /at least one group/],
  [{ waves: "some" }, /"some"/],
  [{ maxBad: "none" }, /number, or a share/],
  [{ soakHours: Number.NaN }, /number of hours/],
  [{ startAt: "soon" }, /no time/],
])("%j is refused before the hub is asked", (some, why) => {
  const form = { ...newPlan("v2.1", 24), groups: ["line-1"], ...some };
  expect(planOfForm(form)).toMatchObject({ ok: false, why: expect.stringMatching(why) });
});
