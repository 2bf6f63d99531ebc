// A hub restored from a backup has forgotten what it ordered since, but its devices have not: they refuse what is older, say so, and are followed.
import { Manifest, type Observed, peekPayload } from "@context-edge/protocol";
import type { Change, Changes } from "./changes.ts";
import { nextSequence } from "./core/desired.ts";
import type { Publisher } from "./publisher.ts";
import type { DeviceRecord } from "./store/records.ts";

/** What was sealed less than this ago is certainly not from a backup: a device that cries wolf is answered once a minute. */
const SETTLED_MS = 60_000;
/**
 * So far past its own clock does the hub follow what a device says it follows. A device accepts twice as much
 * (agent/core/accept.ts), and may have a clock that stands years behind: one that lies must not put its group's numbers
 * where the others would not go. docs/decisions/0005-numbers-far-ahead.md
 */
export const REACH_MS = 10 * 365 * 24 * 3_600_000;
export const OUTRUN = "manifest.outrun";

/** Inside the transaction of a report: whatever the device refused gets a number that it accepts, where there is one. */
export async function heedReplay(change: Change, device: DeviceRecord, observed: Observed): Promise<void> {
  switch (observed.trouble?.code) {
    case "ASSIGNMENT_REPLAYED":
    case "ASSIGNMENT_FAR_AHEAD":
      return assignAnew(change, device, observed);
    case "MANIFEST_REPLAYED":
    case "MANIFEST_FAR_AHEAD":
      return issueAnew(change, device, observed);
  }
}

async function assignAnew(change: Change, device: DeviceRecord, observed: Observed): Promise<void> {
  const { tx, at, touched, tell } = change;
  const { id, group_name, home_group, assignment_sequence: own } = device;
  const follows = observed.assignment_sequence ?? null;
  const last = numberToPass(own, follows, observed, at);
  if (last === "out-of-reach") return tellOutOfReach(change, device, observed);
  if (last === null || (follows === null && !isSettled(own, at))) return;
  const assignment_sequence = nextSequence(last, Date.parse(at));
  await tx.devices.assign(id, { group_name, home_group, assignment_sequence });
  touched.devices.add(id);
  const words = `${id} follows another assignment than this hub remembers; it gets a new one`;
  await tell("device.reassigned", id, words, { device_follows: follows, hub_remembers: own });
}

async function issueAnew(change: Change, device: DeviceRecord, observed: Observed): Promise<void> {
  const { tx, at, touched, tell } = change;
  const group = await tx.groups.find(device.group_name);
  // By its own date: a number that was put past a device's is no time.
  if (!group?.manifest || !isSettled(Date.parse(peekPayload(group.manifest, Manifest)?.issued_at ?? ""), at)) return;
  const { name, manifest, manifest_sequence: own } = group;
  const follows = observed.manifest_sequence;
  const last = numberToPass(own, follows, observed, at);
  if (last === "out-of-reach") return tellOutOfReach(change, device, observed);
  if (last === null) return;
  // No content has this digest, so the next look seals it anew.
  await tx.groups.saveManifest(name, { manifest, manifest_sequence: last, manifest_content: "" });
  touched.groups.add(name);
  await tell(
    OUTRUN,
    name,
    `${device.id} follows other orders of ${name} than this hub remembers: was it restored from a backup, or its clock wrong? They are issued anew`,
    { device_id: device.id, device_follows: follows, hub_remembers: own },
  );
}

/**
 * The number that the next one has to be higher than.
 * @returns null when nothing has to be done: the device will have heard of `own` by its next report
 */
function numberToPass(own: number, follows: number | null, { trouble }: Observed, at: string) {
  const nowMs = Date.parse(at);
  if (follows !== null && follows > nowMs + REACH_MS) return "out-of-reach";
  if (trouble?.code.endsWith("_FAR_AHEAD") === true) {
    // The hub's own clock was once decades ahead: no device went there, so no number since the true time was used.
    return own > nowMs + 2 * REACH_MS ? (follows ?? 0) : null;
  }
  // An earlier agent does not say: it is given the time.
  return follows === null || follows > own ? Math.max(own, follows ?? 0) : null;
}

/** Either way: a clock that was ahead leaves dates in the future. */
const isSettled = (sealedMs: number, at: string) => !(Math.abs(Date.parse(at) - sealedMs) < SETTLED_MS);

/** Once, not with every report: only a person at the device can help. */
async function tellOutOfReach({ tell }: Change, device: DeviceRecord, observed: Observed): Promise<void> {
  const { id, observed: before } = device;
  const { trouble, manifest_sequence, assignment_sequence } = observed;
  const isSame = before?.manifest_sequence === manifest_sequence && before.assignment_sequence === assignment_sequence;
  if (isSame && before.trouble?.code === trouble?.code) return;
  await tell(
    "device.out-of-reach",
    id,
    `${id} follows orders numbered further ahead than this hub will go: check the clock of this hub, then run context-edge-agent forget on the device`,
    { code: trouble?.code, manifest_sequence, assignment_sequence },
  );
}

export function resealOutrun(changes: Pick<Changes, "listen">, publisher: Pick<Publisher, "refresh">): void {
  changes.listen((notice) => {
    // What fails here is done by the look at everything that comes every minute.
    if (notice.kind === "event" && notice.event.kind === OUTRUN)
      publisher.refresh([notice.event.subject]).catch(() => undefined);
  });
}
