// The figures for Prometheus: what is measured is there, what is not known is left out, and no label breaks the format.
import { expect, test } from "vitest";
import { renderMetrics } from "./metrics.ts";
import { NOW, OLD } from "./testing/facts.ts";
import { calm, FIXTURES } from "./testing/fixtures.ts";

const now = Date.parse(NOW);
const of = (name: string) => renderMetrics(FIXTURES[name] ?? calm, now);

test("phase, version, waiting, hold, telemetry, outcome and the hub's last answer are there", () => {
  const text = of("held");
  for (const line of [
    'context_edge_phase{phase="idle"} 1',
    `context_edge_model_info{model="default",version="v2.1",digest="${OLD}"} 1`,
    'context_edge_model_waiting{model="default",for="hold"} 1',
    'context_edge_hold{by="device"} 1',
    'context_edge_last_outcome{model="default",outcome="committed"} 1',
    'context_edge_last_outcome{model="default",outcome="failed"} 0',
    "context_edge_gpu_percent 61",
    'context_edge_temperature_celsius{zone="tj-thermal"} 55.6',
    'context_edge_power_milliwatts{rail="VDD_IN"} 12479',
    "context_edge_hub_last_answer_age_seconds 12",
    'context_edge_predictions{model="default"} 48213',
  ]) {
    expect(`\n${text}`).toContain(`\n${line}\n`);
  }
  expect(text).toMatch(/context_edge_last_outcome_seconds\{model="default"\} 1795\d{6}/);
});

test("what is not known is left out instead of told as zero", () => {
  const text = of("starting");
  expect(text).not.toContain("gpu_percent");
  expect(text).not.toContain("hub_last_answer_age");
  expect(of("clock-at-1970")).not.toContain("gpu_percent");
});

test("every state gives text that a scraper can read, whatever a label holds", () => {
  const evil = { ...calm, trouble: { code: 'a"b\\c\nd', message: "", next_step: "" } };
  for (const text of [...Object.keys(FIXTURES).map(of), renderMetrics(evil, now)]) {
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) context_edge_\w+ .+|context_edge_\w+(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)+\})? -?\d+(?:\.\d+)?)$/,
      );
    }
  }
});

test("each metric is described once and its samples stand together", () => {
  const names = [...of("several-models").matchAll(/^# TYPE (\w+)/gm)].map((match) => match[1]);
  expect(new Set(names).size).toBe(names.length);
});
