// The device's side of the wire: enrolment and the paths of `/device/v1`.
import { z } from "zod";
import { DeviceId, GroupName } from "./names.ts";
import { Inventory } from "./report.ts";

export const EnrollRequest = z.object({
  join_token: z.string().min(8).max(256),
  device_id: DeviceId,
  /** A wish, heeded only for a device the hub has not met before. */
  group: GroupName.optional(),
  inventory: Inventory,
});
export type EnrollRequest = z.infer<typeof EnrollRequest>;

export const EnrollReply = z.object({
  device_id: DeviceId,
  group: GroupName,
  /** Bearer token of this device alone. Shown once; the hub keeps only its hash. */
  credential: z.string(),
});
export type EnrollReply = z.infer<typeof EnrollReply>;

export const DEVICE_ROUTES = {
  enroll: "/device/v1/enroll",
  manifest: "/device/v1/manifest",
  assignment: "/device/v1/assignment",
  reports: "/device/v1/reports",
  artifact: (digest: string) => `/device/v1/artifacts/${digest}`,
} as const;
