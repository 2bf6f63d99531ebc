// No step is called stuck while its own deadlines still run.
import { ProbePolicy } from "@context-edge/protocol";
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
  expect(allowanceMs({ do: "verify", candidate })).toBeGreaterThan(2 * 4 * 1024 * 1_000);
});

test("an examination outlasts a slow start, its probe, and golden samples that are all answered at the last moment", () => {
  const subject = { digest, policy, readyWithinMs: policy.cold_start_ms, golden: "run" } as const;
  const longestMs = policy.cold_start_ms + policy.warmup_ms + 2 * policy.window_ms + 256 * policy.request_timeout_ms;
  expect(allowanceMs({ do: "examine", subject })).toBeGreaterThan(longestMs);
});

test("a soak of two days that begins anew twice is no standstill, and one of four days more is", () => {
  const forMs = 48 * HOUR_MS;
  const allowed = allowanceMs({ do: "soak", digest, forMs, policy });
  expect(allowed).toBeGreaterThan(3 * forMs);
  expect(allowed).toBeLessThan(4 * forMs);
});

test("a reload and a pause are bounded by what they were given", () => {
  expect(allowanceMs({ do: "reload", file: null, budgetMs: HOUR_MS })).toBeGreaterThan(HOUR_MS);
  expect(allowanceMs({ do: "reload", file: null, budgetMs: 1_000 })).toBeLessThan(HOUR_MS);
  expect(allowanceMs({ do: "cool-down", forMs: HOUR_MS })).toBeGreaterThan(HOUR_MS);
});
