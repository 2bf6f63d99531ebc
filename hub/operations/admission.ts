// Decommissioning a device and letting it in again: its credential is void from the moment on, and nothing waits for it.
import type { Change } from "../changes.ts";
import { unknownDevice } from "../devices.ts";
import { newSecret } from "../auth/secrets.ts";
import { ProblemError } from "../problem-error.ts";

export async function decommission(
  { tx, actor, touched, tell }: Change,
  id: string,
  reason: string,
): Promise<{ group: string }> {
  const device = await tx.devices.find(id);
  if (!device || device.revoked) throw unknownDevice(id);
  // Its hash stays: whoever comes with it is told that the device was revoked, and not that nobody knows it.
  await tx.devices.put({ ...device, revoked: true });
  touched.devices.add(id);
  touched.groups.add(device.group_name);
  await tell("device.decommissioned", id, `${actor} decommissioned ${id}: ${reason}`, { reason });
  return { group: device.group_name };
}

/** The old credential stays void, wherever it may have got to: the device enrols anew with a join token. */
export async function readmit({ tx, actor, touched, tell }: Change, id: string): Promise<void> {
  const device = await tx.devices.find(id);
  if (!device) throw unknownDevice(id);
  if (!device.revoked) throw new ProblemError("CONFLICT", `${id} is not decommissioned.`);
  await tx.devices.put({ ...device, revoked: false, credential_hash: newSecret("cej").hash });
  touched.devices.add(id);
  touched.groups.add(device.group_name);
  await tell("device.readmitted", id, `${actor} lets ${id} enrol again`);
}
