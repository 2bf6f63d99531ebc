// The soak against services that die, come back, lose answers or change what they serve: by the looks of a probe made of a script.
import { ProbePolicy } from "@context-edge/protocol";
import { expect, test } from "vitest";
import type { Probe } from "./probes/probe.ts";
import { noProbe } from "./probes/none.ts";
import { soak } from "./soak.ts";

const DIGEST = "a".repeat(64);
const policy = ProbePolicy.parse({});

/** What one check finds: up and answering, up without an answer, gone, up with counters that began anew, another file. */
type Find = "good" | "mute" | "gone" | "anew" | "other";

/** @returns what the soak said, and how many checks it made; after the last find everything is good */
async function soaked(finds: readonly Find[], more: { crash?: string; forMs?: number } = {}) {
  let checks = 0;
  let predictions = 0;
  const now = () => finds[checks - 1] ?? "good";
  const probe: Probe = {
    ...noProbe(),
    look() {
      checks += 1;
      predictions = now() === "anew" ? 1 : predictions + 10;
      return Promise.resolve({
        ready: now() !== "gone",
        digest: now() === "other" ? "b".repeat(64) : DIGEST,
        detail: now() === "gone" ? "connection refused" : "",
      });
    },
    isAnswering: () => Promise.resolve(now() !== "mute"),
    counters: () => Promise.resolve({ predictions, errors: 0, avgMs: null }),
  };
  const { signal } = new AbortController();
  const isCrashing = () => Promise.resolve(more.crash ?? null);
  const mishap = await soak({
    probe,
    digest: DIGEST,
    forMs: more.forMs ?? 500,
    policy,
    golden: null,
    isCrashing,
    signal,
  });
  return { code: mishap?.code ?? "OK", mishap, checks };
}

const good = (count: number): Find[] => Array.from({ length: count }, () => "good");

test.each<[string, Find[], string]>([
  ["a service that stays up", [], "OK"],
  ["one lost answer", [...good(3), "mute"], "OK"],
  ["fault 41: a service that starts well and dies for good", [...good(5), "gone", "gone", "gone"], "SOAK_UNHEALTHY"],
  ["a service that goes mute", [...good(5), "mute", "mute", "mute"], "SOAK_UNHEALTHY"],
  ["one absence, and then up for the whole time", [...good(3), "gone"], "OK"],
  [
    "fault 42: a process that comes back at once, again and again",
    [...good(4), "gone", ...good(4), "gone", ...good(4), "gone"],
    "CRASH_LOOP",
  ],
  [
    "fault 42: restarts too short to be seen, by counters that begin anew",
    [...good(4), "anew", ...good(4), "anew", ...good(4), "anew"],
    "CRASH_LOOP",
  ],
  ["fault 45: a service that goes over to another file", [...good(2), "other"], "IDENTITY_MISMATCH"],
])("%s", async (_, finds, code) => {
  expect((await soaked(finds)).code).toBe(code);
});

test("fault 42: after an absence the whole time has to pass again without one", async () => {
  const undisturbed = (await soaked([])).checks;
  const finds: Find[] = [...good(undisturbed - 2), "gone"];
  expect((await soaked(finds)).checks).toBeGreaterThanOrEqual(undisturbed - 1 + 8);
});

test("fault 42: a crash loop the host knows of is told at the first look that is not good", async () => {
  const { code, mishap, checks } = await soaked([...good(2), "gone"], { crash: "the unit was started again 3 times" });
  expect({ code, checks }).toEqual({ code: "CRASH_LOOP", checks: 3 });
  expect(mishap?.message).toContain("started again 3 times");
});

test("lost answers here and there are too many when they are more than a fifth", async () => {
  const shaky = Array.from({ length: 12 }, (_unused, index): Find => (index % 3 === 2 ? "mute" : "good"));
  expect((await soaked(shaky)).code).toBe("SOAK_UNHEALTHY");
});

test("without a soak time one good look is enough", async () => {
  expect(await soaked([], { forMs: 0 })).toMatchObject({ code: "OK", checks: 1 });
});
