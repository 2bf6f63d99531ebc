// No step is called stuck while its own deadlines still run.
import { BuildRecipe, ProbePolicy, recipeDigest } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { allowanceMs } from "./allowance.ts";
import type { Candidate } from "./state.ts";

const HOUR_MS = 3_600_000;
const policy = ProbePolicy.parse({});
const digest = "a".repeat(64);
const candidate: Candidate = {
  model: "default",
  version: "v2.1",
  digest,
  sizeBytes: 4 * 2 ** 30,
  format: "trt",
  release: 1,
  minimumRelease: 0,
  deploymentId: "d-1",
  retry: 0,
  policy,
};

test("a file of 4 GiB may be read whole at a megabyte a second", () => {
  expect(allowanceMs({ do: "verify", candidate, warrant: "offer" })).toBeGreaterThan(2 * 4 * 1024 * 1_000);
});

test("an examination outlasts a slow start, its probe, and golden samples that are all answered at the last moment", () => {
  const subject = { digest, variant: digest, policy, readyWithinMs: policy.cold_start_ms, golden: "run" } as const;
  const longestMs = policy.cold_start_ms + policy.warmup_ms + 2 * policy.window_ms + 256 * policy.request_timeout_ms;
  expect(allowanceMs({ do: "examine", subject })).toBeGreaterThan(longestMs);
});

test("a soak of two days that begins anew twice is no standstill, and one of four days more is", () => {
  const forMs = 48 * HOUR_MS;
  const allowed = allowanceMs({ do: "soak", digest, variant: digest, forMs, policy });
  expect(allowed).toBeGreaterThan(3 * forMs);
  expect(allowed).toBeLessThan(4 * forMs);
});

test("a build may take as long as its recipe says, and the engine is read afterwards", () => {
  const recipe = BuildRecipe.parse({ precision: ["fp16"], deadline_minutes: 480 });
  const build = { recipe, recipeDigest: recipeDigest(recipe), tensorrt: "10.3.0", sm: "8.7" };
  const step = { do: "build", candidate: { ...candidate, build }, source: "model.onnx" } as const;
  expect(allowanceMs(step)).toBeGreaterThan(8 * HOUR_MS + candidate.sizeBytes / 1_000);
  expect(allowanceMs({ ...step, candidate: { ...candidate, sizeBytes: 1, build } })).toBeLessThan(9 * HOUR_MS);
});

test("a reload and a pause are bounded by what they were given", () => {
  expect(allowanceMs({ do: "reload", file: null, budgetMs: HOUR_MS })).toBeGreaterThan(HOUR_MS);
  expect(allowanceMs({ do: "reload", file: null, budgetMs: 1_000 })).toBeLessThan(HOUR_MS);
  expect(allowanceMs({ do: "cool-down", forMs: HOUR_MS })).toBeGreaterThan(HOUR_MS);
});
