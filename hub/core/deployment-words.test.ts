// What a deployment says of itself: who runs it, what it waits for, what failed; true figures and nothing else.
import { expect, test } from "vitest";
import { decideDeployment, type DeploymentFacts } from "./deployment.ts";
import { planOfOneStep } from "./plan.ts";
import { facts, gateReport, progress } from "./testing.ts";

const ofOneGroup = { kind: "group", plan: planOfOneStep(["line"], null) } as const;

test.each<[string, Partial<DeploymentFacts>, string]>([
  ["everybody", { progress: progress({ committed: 5 }) }, "All 5 reachable devices run it"],
  [
    "not everybody",
    { progress: progress({ committed: 2, rolled_back: 1, offline: 2 }), tolerated: 1 },
    "2 of 3 reachable devices run it; 1 did not keep it; 2 offline will follow when they return",
  ],
  [
    "nobody",
    { progress: progress({ incompatible: 5 }) },
    "None of 5 devices (5 without a fitting variant) could take it yet",
  ],
])("that ends says truly who runs it: %s", (_title, some, words) => {
  expect(decideDeployment({ ...facts, ...ofOneGroup, ...some })?.reason).toBe(words);
});

test("waits with the reason for which it waits, until somebody begins", () => {
  const away = { ...facts, progress: progress({ offline: 3, held: 2 }) };
  const waiting = decideDeployment(away);
  expect(waiting?.reason).toBe("Waits for the first of 5 devices (3 offline, 2 held or waiting)");
  const told = { ...away, stateReason: waiting?.reason ?? "" };
  expect(decideDeployment(told)).toBeNull();
  expect(decideDeployment({ ...told, progress: progress({ offline: 2, held: 2, moving: 1 }) })).toMatchObject({
    state: "running",
    reason: "1 device under way",
  });
});

test("a failed gate names what failed, and nothing else", () => {
  const conditions = [
    { name: "errors", verdict: "fail" as const, detail: "900 of 1000 predictions failed", evidence: {} },
    { name: "soak", verdict: "inconclusive" as const, detail: "watched for 1 s of 24 h", evidence: {} },
  ];
  const judged = {
    state: "soaking" as const,
    progress: progress({ committed: 5 }),
    gate: { ...gateReport("fail"), conditions },
  };
  expect(decideDeployment({ ...facts, ...judged })?.reason).toBe(
    "Halted: the gate failed: 900 of 1000 predictions failed",
  );
});

test("keeps count while it is halted, and says the cause", () => {
  const halted = {
    ...facts,
    state: "paused" as const,
    progress: progress({ rolled_back: 2 }),
    commonCode: "X",
    commonMessage: "it was slow",
  };
  const first = decideDeployment(halted);
  expect(first?.reason).toBe("Halted: 2 of 5 devices did not keep it (X): it was slow");
  expect(decideDeployment({ ...halted, stateReason: first?.reason ?? "" })).toBeNull();
});
