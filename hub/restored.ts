// A hub restored from a backup has forgotten what it ordered since, but its devices have not: they refuse what is older, say so, and are followed.
import type { Observed } from "@context-edge/protocol";
import type { Change, Changes } from "./changes.ts";
import { nextSequence } from "./core/desired.ts";
import type { Publisher } from "./publisher.ts";
import type { DeviceRecord } from "./store/records.ts";

/** What was numbered less than this ago is certainly not from a backup: a device that cries wolf is answered once a minute. */
const SETTLED_MS = 60_000;
export const OUTRUN = "manifest.outrun";

/** Inside the transaction of a report: whatever the device found too old gets a new number, which is the time and so higher. */
export async function heedReplay(
  { tx, at, touched, tell }: Change,
  device: DeviceRecord,
  { trouble, manifest_sequence }: Observed,
): Promise<void> {
  const isSettled = (sequence: number) => Date.parse(at) - sequence >= SETTLED_MS;
  if (trouble?.code === "ASSIGNMENT_REPLAYED" && isSettled(device.assignment_sequence)) {
    const { id, group_name, home_group } = device;
    const assignment_sequence = nextSequence(device.assignment_sequence, Date.parse(at));
    await tx.devices.assign(id, { group_name, home_group, assignment_sequence });
    touched.devices.add(id);
    await tell("device.reassigned", id, `${id} follows a newer assignment than this hub remembers; it gets a new one`);
  }
  if (trouble?.code !== "MANIFEST_REPLAYED") return;
  const group = await tx.groups.find(device.group_name);
  if (!group?.manifest || !isSettled(group.manifest_sequence)) return;
  // No content has this digest, so the next look seals it anew.
  await tx.groups.saveManifest(group.name, { ...group, manifest: group.manifest, manifest_content: "" });
  touched.groups.add(group.name);
  await tell(
    OUTRUN,
    group.name,
    `${device.id} follows newer orders of ${group.name} than this hub remembers: was it restored from a backup? They are issued anew`,
    { device_id: device.id, device_follows: manifest_sequence, hub_remembers: group.manifest_sequence },
  );
}

export function resealOutrun(changes: Pick<Changes, "listen">, publisher: Pick<Publisher, "refresh">): void {
  changes.listen((notice) => {
    // What fails here is done by the look at everything that comes every minute.
    if (notice.kind === "event" && notice.event.kind === OUTRUN)
      publisher.refresh([notice.event.subject]).catch(() => undefined);
  });
}
