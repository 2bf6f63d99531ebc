// Small makers for tables over the core.
import { CreateDeploymentRequest, type Progress } from "@context-edge/protocol";
import { z } from "zod";

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
