// Small makers for tables over the core.
import { CreateDeploymentRequest, type Progress } from "@context-edge/protocol";
import { z } from "zod";
import type { DeploymentFacts } from "./deployment.ts";
import { DEFAULT_GATE } from "./gate.ts";
import { planOfOneStep } from "./plan.ts";

/** Five devices, none of which has begun, unless said otherwise. */
export const progress = (some: Partial<Progress>): Progress => ({
  total: 5,
  committed: 0,
  moving: 0,
  pending: 0,
  rolled_back: 0,
  failed: 0,
  incompatible: 0,
  held: 0,
  offline: 0,
  waiting: 0,
  ...some,
});

export const planRequest = (some: Partial<z.input<typeof CreateDeploymentRequest>> = {}): CreateDeploymentRequest =>
  CreateDeploymentRequest.parse({ version: "v2", groups: ["line"], ...some });

export const gateReport = (verdict: "pass" | "fail" | "inconclusive") => ({
  verdict,
  conditions: [],
  evaluated_at: "2026-01-01T00:00:00.000Z",
});
/** A pilot of five, two of them under way. */
export const facts: DeploymentFacts = {
  kind: "pilot",
  state: "running",
  stateReason: "",
  haltedBy: null,
  progress: progress({ committed: 3, moving: 2 }),
  stepIsEmpty: false,
  stepSeconds: 0,
  patienceSeconds: 3_600,
  gate: gateReport("inconclusive"),
  tolerated: 0,
  commonCode: null,
  commonMessage: null,
  plan: planOfOneStep(["pilot"], { ...DEFAULT_GATE, soak_seconds: 60 }),
  step: 0,
  isEarly: false,
  forbidden: null,
  canRollBack: true,
  isRestored: false,
};
