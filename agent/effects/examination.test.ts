// The examination: what it waits for, what ends it early, and what it brings along as evidence.
import { ProbePolicy } from "@context-edge/protocol";
import { expect, test } from "vitest";
import type { Subject } from "../core/steps.ts";
import { examine, measureBaseline } from "./examination.ts";
import { noProbe } from "./probes/none.ts";
import type { Look, Probe } from "./probes/probe.ts";

const DIGEST = "a".repeat(64);
const OTHER = "b".repeat(64);
const policy = ProbePolicy.parse({ min_samples: 5 });
const subject: Subject = { digest: DIGEST, variant: DIGEST, policy, readyWithinMs: 60_000, golden: "run" };
const { signal } = new AbortController();
const up = (digest: string | null): Look => ({ ready: true, digest, detail: "" });
const down: Look = { ready: false, digest: null, detail: "connection refused" };
const MEASURED = {
  samples: 8,
  errors: 0,
  mean_ms: 1,
  p50_ms: 1,
  p95_ms: 1,
  max_ms: 1,
  at: "2026-01-01T00:00:00Z",
  tags: {},
};

/** One look after the other; the last one stays. */
function seeing(looks: readonly Look[], more: Partial<Probe> = {}): Probe {
  let index = 0;
  const look = () => Promise.resolve(looks[Math.min(index++, looks.length - 1)] ?? down);
  return { ...noProbe(), measure: () => Promise.resolve(MEASURED), ...more, look };
}
const examined = (probe: Probe, more: object = {}) =>
  examine({ probe, subject, golden: null, identityWithinMs: 300, signal, ...more });

test("a service that needs a while and first still names the old file is waited for", async () => {
  const probe = seeing([down, up(OTHER), up(DIGEST)]);
  expect(await examined(probe, { identityWithinMs: 5_000 })).toMatchObject({ ready: true, identity: "confirmed" });
});

test("fault 45: a service that goes on naming the old file is not timed, and says which", async () => {
  const found = await examined(seeing([up(OTHER)]));
  expect(found).toMatchObject({ ready: true, identity: { servesDigest: OTHER }, measurement: null });
});

test("fault 42: a unit that crashes ends the wait at once, with its words", async () => {
  const found = await examined(seeing([down]), { isCrashing: () => Promise.resolve("the unit was started again") });
  expect(found).toMatchObject({ ready: false, crash: "the unit was started again" });
});

test("a service that never comes up is given its time and no more", async () => {
  const found = await examined(seeing([down]), { subject: { ...subject, readyWithinMs: 200 } });
  expect(found).toMatchObject({ ready: false, crash: null, detail: "connection refused" });
});

test("words about golden answers stand in the detail, figures in the evidence", async () => {
  const checkGolden = () => Promise.resolve({ checked: 2, failed: 1, note: "sample 2: output y is missing" });
  const found = await examined(seeing([up(null)], { checkGolden }));
  expect(found.golden).toEqual({ checked: 2, failed: 1 });
  expect(found.detail).toContain("sample 2: output y is missing");
  expect(found.detail).toContain("identity unconfirmed");
});

test.each<[string, Probe, RegExp]>([
  ["a running model that is not ready", seeing([down]), /not ready/],
  ["a service that serves another file", seeing([up(OTHER)]), /another file/],
  ["a service that cannot be timed", seeing([up(DIGEST)], { measure: () => Promise.resolve(null) }), /cannot be timed/],
])("%s gives no baseline, and the note says why", async (_, probe, note) => {
  const given = { ...subject, readyWithinMs: 100 };
  const { measurement, note: said } = await measureBaseline({ probe, subject: given, golden: null, signal });
  expect({ measurement, isSaid: note.test(said) }).toEqual({ measurement: null, isSaid: true });
});
