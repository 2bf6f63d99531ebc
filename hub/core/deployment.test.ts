// Tables over the conductor's one decision: from state, progress and gate to the next state.
import { describe, expect, test } from "vitest";
import { decideDeployment, type DeploymentFacts } from "./deployment.ts";
import { DEFAULT_GATE } from "./gate.ts";
import { planOf, planOfOneStep } from "./plan.ts";
import { facts, gateReport, planRequest, progress } from "./testing.ts";

const policy = { ...DEFAULT_GATE, soak_seconds: 60 };

describe("a deployment", () => {
  const ofOneGroup = { kind: "group", plan: planOfOneStep(["line"], null) } as const;
  const inWaves = (some: Parameters<typeof planRequest>[0] = {}) => ({
    kind: "waves" as const,
    plan: planOf(planRequest({ groups: ["a", "b"], waves: [{ share: 0.1 }, { share: 1 }], ...some }), policy),
  });
  const watchedToTheEnd = {
    kind: "group" as const,
    plan: planOf(planRequest({ groups: ["line"], gate: { soak_seconds: 60 } }), policy),
  };
  const all = { progress: progress({ committed: 5 }) };
  const wave = { progress: progress({ total: 50, committed: 5, waiting: 45 }) };
  const rows: [string, Partial<DeploymentFacts>, string | null][] = [
    ["waits for devices under way", {}, null],
    ["of a pilot is watched once all have settled", { progress: progress({ committed: 5 }) }, "soaking"],
    [
      "of a pilot is not held open by an offline device",
      { progress: progress({ committed: 4, offline: 1 }) },
      "soaking",
    ],
    ["of a pilot waits a while for devices that are away", { progress: progress({ offline: 5 }) }, "running"],
    ["of a pilot does not wait for ever", { progress: progress({ offline: 5 }), stepSeconds: 3_601 }, "paused"],
    ["of a pilot does not wait for devices that never can", { progress: progress({ incompatible: 5 }) }, "paused"],
    [
      "of a group ends where nobody can take it",
      { ...ofOneGroup, progress: progress({ incompatible: 5 }) },
      "finished",
    ],
    [
      "of a group is finished once all have settled",
      { ...ofOneGroup, progress: progress({ committed: 5 }) },
      "finished",
    ],
    [
      "of a group is finished without the offline and the incompatible",
      { ...ofOneGroup, progress: progress({ committed: 2, offline: 2, incompatible: 1 }) },
      "finished",
    ],
    ["halts at the first bad end", { progress: progress({ moving: 4, rolled_back: 1 }) }, "paused"],
    [
      "goes on when a person accepted the bad end",
      { progress: progress({ moving: 4, rolled_back: 1 }), tolerated: 1 },
      null,
    ],
    [
      "halts at one more than was accepted",
      { progress: progress({ moving: 3, rolled_back: 2 }), tolerated: 1 },
      "paused",
    ],
    [
      "awaits approval when the gate passes",
      { state: "soaking", progress: progress({ committed: 5 }), gate: gateReport("pass") },
      "awaiting-approval",
    ],
    [
      "pauses when the gate fails",
      { state: "soaking", progress: progress({ committed: 5 }), gate: gateReport("fail") },
      "paused",
    ],
    [
      "runs again when a device comes back while it is watched",
      { state: "soaking", progress: progress({ committed: 4, pending: 1 }), gate: gateReport("pass") },
      "running",
    ],
    [
      "awaiting approval is halted by a late rollback",
      { state: "awaiting-approval", progress: progress({ committed: 4, rolled_back: 1 }) },
      "paused",
    ],
    ["that is early waits", { ...inWaves(), state: "scheduled", isEarly: true }, null],
    ["whose time has come begins", { ...inWaves(), state: "scheduled" }, "running"],
    ["in waves is watched when its wave has settled", { ...inWaves(), ...wave }, "soaking"],
    [
      "in waves awaits approval between waves",
      { ...inWaves(), ...wave, state: "soaking", gate: gateReport("pass") },
      "awaiting-approval",
    ],
    [
      "in waves goes on by itself where that was chosen",
      { ...inWaves({ promote: "automatic" }), ...wave, state: "soaking", gate: gateReport("pass") },
      "running",
    ],
    [
      "never goes on by itself on an inconclusive gate",
      { ...inWaves({ promote: "automatic" }), ...wave, state: "soaking", gate: gateReport("inconclusive") },
      null,
    ],
    ["is finished after its last step", { ...inWaves(), ...all, step: 3 }, "finished"],
    [
      "is not watched while a wave has nobody who took it",
      { ...inWaves(), progress: progress({ offline: 5 }) },
      "running",
    ],
    ["goes past a step that nobody belongs to", { ...inWaves(), ...wave, stepIsEmpty: true }, "running"],
    ["is watched after its last step where that was asked for", { ...watchedToTheEnd, ...all }, "soaking"],
    [
      "that is watched to the end is finished when its gate passes",
      { ...watchedToTheEnd, ...all, state: "soaking", gate: gateReport("pass") },
      "finished",
    ],
    [
      "that is watched to the end halts when its gate fails",
      { ...watchedToTheEnd, ...all, state: "soaking", gate: gateReport("fail") },
      "paused",
    ],
    [
      "awaiting approval is halted when its figures turn bad",
      { state: "awaiting-approval", progress: progress({ committed: 5 }), gate: gateReport("fail") },
      "paused",
    ],
    [
      "awaiting approval stays while figures are in doubt",
      { state: "awaiting-approval", progress: progress({ committed: 4, pending: 1 }) },
      null,
    ],
    [
      "that goes back does not stop at a device that cannot",
      { kind: "rollback", plan: planOfOneStep(["line"], null), progress: progress({ moving: 4, failed: 1 }) },
      null,
    ],
    [
      "that goes back ends with those that could",
      { kind: "rollback", plan: planOfOneStep(["line"], null), progress: progress({ committed: 4, failed: 1 }) },
      "finished",
    ],
    [
      "that was halted goes on when its devices have kept it after all",
      { ...inWaves(), ...wave, state: "paused", haltedBy: "bad-ends" },
      "running",
    ],
    ["that a person paused stays paused", { ...inWaves(), ...wave, state: "paused" }, null],
    [
      "that halted because nobody was there goes on when somebody is",
      { state: "paused", haltedBy: "nobody", progress: progress({ offline: 4, pending: 1 }) },
      "running",
    ],
    ["that halted by its gate stays halted", { ...inWaves(), ...wave, state: "paused", haltedBy: "gate" }, null],
    ["of a version that was quarantined halts", { forbidden: "v2 is quarantined" }, "paused"],
    [
      "that is scheduled halts when its version is quarantined",
      { state: "scheduled", forbidden: "v2 is out" },
      "paused",
    ],
    [
      "rolls its waves back where that was chosen",
      { ...inWaves({ on_fail: "roll-back" }), progress: progress({ rolled_back: 1, moving: 4 }) },
      "rolling-back",
    ],
    [
      "rolls back on a failed gate where that was chosen",
      { ...inWaves({ on_fail: "roll-back" }), ...wave, state: "soaking", gate: gateReport("fail") },
      "rolling-back",
    ],
    [
      "halts where there is nothing to roll back to",
      { ...inWaves({ on_fail: "roll-back" }), canRollBack: false, progress: progress({ rolled_back: 1 }) },
      "paused",
    ],
    [
      "tolerates as many bad ends as its plan allows",
      { ...inWaves({ max_bad: { share: 0.2 } }), progress: progress({ rolled_back: 1, moving: 4 }) },
      null,
    ],
    [
      "halts at one more than its plan allows",
      { ...inWaves({ max_bad: { share: 0.2 } }), progress: progress({ rolled_back: 2, moving: 3 }) },
      "paused",
    ],
    ["that is rolling back waits for its groups", { state: "rolling-back" }, null],
    ["that is rolling back ends when they have settled", { state: "rolling-back", isRestored: true }, "rolled-back"],
    ["that is finished stays finished", { state: "finished", progress: progress({ rolled_back: 5 }) }, null],
    ["that is aborted stays aborted", { state: "aborted", progress: progress({ committed: 5 }) }, null],
  ];
  test.each(rows)("%s", (_title, some, state) => {
    expect(decideDeployment({ ...facts, ...some })?.state ?? null).toBe(state);
  });
});
