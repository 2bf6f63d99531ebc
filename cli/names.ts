// Names as people type them on a command line, checked before anything is asked of the hub.
import { DeviceId, GroupName, ModelName, VersionId } from "@context-edge/protocol";
import { z } from "zod";

export const DeploymentId = z
  .string()
  .regex(
    /^dep-[A-Za-z0-9-]+$/,
    "a deployment's id looks like dep-0mfabcd12-0123456789; context-edge deployments lists them",
  );
/** A name or an id of an account or of a token; which of them there are, the hub knows. */
const Known = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/, 'it may hold letters, digits, ".", "_", "@", "+" and "-"');

/** By the word that stands for the argument in a command's help. */
export const ARGUMENTS: Readonly<Record<string, z.ZodType<string>>> = {
  group: GroupName,
  device: DeviceId,
  version: VersionId,
  model: ModelName,
  deployment: DeploymentId,
  user: Known,
  token: Known,
  "join-token": Known,
};

/** As the hub takes it; kept in the history. */
export const Reason = z.string().max(1_000);

/** Where the hub wants more than nothing: what cannot be undone lightly. */
export const FullReason = z.string().trim().min(3).max(500);
