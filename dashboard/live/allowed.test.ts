// Which button is enabled in which state, and the reason a disabled one gives.
import { DeploymentState, type PilotMetrics, type Stage } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import { aDeployment, aVersion, NO_PROGRESS } from "../testing/fixtures.ts";
import {
  canOverride,
  whyNotAct,
  whyNotAll,
  whyNotArchive,
  whyNotDeploy,
  whyNotReview,
  whyNotRollBack,
  whyNotSteer,
} from "./allowed.ts";

const BAD = { ...NO_PROGRESS, total: 3, committed: 2, failed: 1 };
const metrics = (over: Partial<PilotMetrics> = {}): PilotMetrics => ({
  version_id: "v2.1",
  deployment_id: "dep-1",
  pilot_devices_total: 5,
  pilot_devices_online: 5,
  monitoring_duration_hours: 0.01,
  predictions_total: 10,
  accuracy_validated: null,
  false_positive_rate: null,
  false_negative_rate: null,
  errors: 0,
  avg_inference_time_ms: null,
  labelled_total: 0,
  can_deploy_to_all: false,
  blockers: ["watched for 12 s of 60 s", "4 of 5 reachable devices run it"],
  ...over,
});
const pilot = (over = {}) => aDeployment("dep-1", { kind: "pilot", groups: ["pilot"], state: "soaking", ...over });

test("a viewer is told what role is missing, before anything else; who may act is told nothing", () => {
  expect(whyNotAct({ role: "viewer" }, "deploy")).toMatch(/^Viewers cannot deploy\..*engineer/);
  expect(whyNotAct({ role: "engineer" }, "deploy")).toBeNull();
  expect(whyNotAct({ role: "admin" }, "deploy")).toBeNull();
  expect(whyNotAct({ role: "publisher" }, "deploy")).not.toBeNull();
});

describe("steering a deployment", () => {
  const allowed: Record<DeploymentState, string> = {
    draft: "start abort",
    scheduled: "start pause abort",
    running: "pause retry abort",
    soaking: "pause retry abort",
    "awaiting-approval": "pause retry abort",
    paused: "resume retry abort",
    finished: "retry",
    aborted: "",
    "rolling-back": "abort",
    "rolled-back": "",
  };
  test.each(DeploymentState.options)("that is %s allows exactly what the hub would do", (state) => {
    const actions = ["start", "pause", "resume", "retry", "abort"] as const;
    const deployment = aDeployment("dep-1", { state, progress: BAD });
    const possible = actions.filter((action) => whyNotSteer(action, deployment) === null);
    expect(possible.join(" ")).toBe(allowed[state]);
  });

  test("has nothing to retry while no device failed, and says so", () => {
    expect(whyNotSteer("retry", aDeployment("dep-1"))).toBe("No device failed or rolled back.");
    const rolledBack = aDeployment("dep-1", { progress: { ...NO_PROGRESS, rolled_back: 1 } });
    expect(whyNotSteer("retry", rolledBack)).toBeNull();
  });
});

describe("rolling back", () => {
  test("is possible also after the end, as long as devices follow it", () => {
    expect(whyNotRollBack(aDeployment("dep-1", { state: "finished" }), 3)).toBeNull();
  });
  test("is refused when nobody follows it any more, or nothing was there before", () => {
    expect(whyNotRollBack(aDeployment("dep-1"), 0)).toBe("No device follows this deployment any more.");
    expect(whyNotRollBack(aDeployment("dep-1", { previous: { "line-1": null } }), 3)).toBe(
      "There was no version before it.",
    );
  });
  test("is possible when only some groups had something before", () => {
    expect(whyNotRollBack(aDeployment("dep-1", { previous: { a: null, b: "v2.0" } }), 1)).toBeNull();
  });
});

describe("deploying to all", () => {
  test("says everything that is missing, in the hub's words", () => {
    expect(whyNotAll(pilot(), metrics())).toBe("watched for 12 s of 60 s; 4 of 5 reachable devices run it");
  });
  test("is possible once the hub says so", () => {
    expect(whyNotAll(pilot(), metrics({ can_deploy_to_all: true, blockers: [] }))).toBeNull();
  });
  test("is never offered on the word of another deployment of the same version", () => {
    const newer = metrics({ deployment_id: "dep-2", can_deploy_to_all: true, blockers: [] });
    expect(whyNotAll(pilot(), newer)).toBe("A later deployment of this version decides.");
  });
  test.each([
    ["that is no pilot", { kind: "group" as const }, "Only a pilot goes on to all groups."],
    ["that went on already", { state: "finished" as const }, "It went on to all groups already."],
    ["that was superseded", { state: "aborted" as const, state_reason: "Superseded by v2.2" }, "Superseded by v2.2"],
    ["whose figures are not there yet", {}, "Asking the hub …"],
  ])("is not possible for one %s", (_, over, reason) => {
    expect(whyNotAll(pilot(over), null)).toBe(reason);
  });
  test("a refusal without words still has a reason", () => {
    expect(whyNotAll(pilot(), metrics({ blockers: [] }))).toBe("The gate has not passed.");
  });
});

describe("going past the gate", () => {
  test("is for an open pilot that has not passed", () => {
    expect(canOverride(pilot(), metrics())).toBe(true);
    expect(canOverride(pilot({ state: "paused" }), metrics())).toBe(true);
  });
  test("is not offered when it passed, is over, is no pilot, or when nothing is known", () => {
    expect(canOverride(pilot(), metrics({ can_deploy_to_all: true }))).toBe(false);
    expect(canOverride(pilot({ state: "rolled-back" }), metrics())).toBe(false);
    expect(canOverride(pilot({ kind: "all" }), metrics())).toBe(false);
    expect(canOverride(pilot(), null)).toBe(false);
  });
});

describe("a version", () => {
  const reviewable: Record<Stage, boolean> = {
    pending: true,
    approved: false,
    rejected: false,
    archived: false,
    quarantined: false,
  };
  test.each(Object.entries(reviewable))("that is %s: may be reviewed is %s", (stage, may) => {
    expect(whyNotReview(aVersion("v2.1", { stage: stage as Stage })) === null).toBe(may);
  });
  test("may be archived once it was decided about and runs nowhere", () => {
    expect(whyNotArchive(aVersion("v2.1", { stage: "rejected", running_on: 0 }))).toBeNull();
    expect(whyNotArchive(aVersion("v2.1", { stage: "approved", running_on: 2 }))).toBe("Devices run it.");
    expect(whyNotArchive(aVersion("v2.1", { stage: "pending" }))).toBe("Approve or reject it first.");
    expect(whyNotArchive(aVersion("v2.1", { stage: "quarantined" }))).toBe("It is quarantined.");
  });
  test("may be deployed while pending or approved, if it is signed", () => {
    expect(whyNotDeploy(aVersion("v2.1"))).toBeNull();
    expect(whyNotDeploy(aVersion("v2.1", { stage: "approved" }))).toBeNull();
    expect(whyNotDeploy(aVersion("v2.1", { stage: "quarantined" }))).toBe("It is quarantined.");
    expect(whyNotDeploy(aVersion("v2.1", { signed_by: null }))).toMatch(/no release signature/);
  });
});
