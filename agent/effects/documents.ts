// The hub's signed documents this device follows: accepted once, kept on disk, verified again whenever they are loaded.
import { createHash } from "node:crypto";
import {
  Assignment,
  ASSIGNMENT_PAYLOAD_TYPE,
  type DeviceId,
  Envelope,
  Manifest,
  MANIFEST_PAYLOAD_TYPE,
  openEnvelope,
  type PublicKey,
  type Trouble,
} from "@context-edge/protocol";
import { z } from "zod";
import { acceptAssignment, acceptManifest, isTimeTakenBack } from "../core/accept.ts";
import { instant } from "../core/instant.ts";
import { checkedFile } from "./checked-file.ts";
import type { Clock } from "./clock.ts";

const Floor = z.object({
  sequence: z.number().int(),
  fingerprint: z.string(),
  issuedAt: z.number().nullable().default(null),
});
const Stored = z.object({
  assignment: Envelope.nullable(),
  assignmentFloor: Floor.nullable(),
  manifest: Envelope.nullable(),
  etag: z.string().nullable(),
  /** Highest manifest accepted per group: moving away and back opens no door for an old one. */
  manifestFloors: z.record(z.string(), Floor),
});
type Stored = z.infer<typeof Stored>;

const NOTHING: Stored = { assignment: null, assignmentFloor: null, manifest: null, etag: null, manifestFloors: {} };
const FLOORS_KEPT = 64;

export interface Documents {
  assignment(): Assignment | null;
  /** Of the group this device is assigned to; stays when it expires. */
  manifest(): Manifest | null;
  etag(): string | null;
  /** Milliseconds since the epoch, never before the last signed time: a clock without battery starts in 1970. */
  now(): number;
  /** The highest numbers accepted, of manifests of the present group and of assignments; as reports tell them. */
  followed(): { manifest_sequence: number | null; assignment_sequence: number | null };
  /** @returns why the document was refused, or null. */
  offerAssignment(envelope: unknown): Promise<Trouble | null>;
  offerManifest(envelope: unknown, etag: string | null): Promise<Trouble | null>;
  /**
   * Begins anew with the hub's next documents, whatever their numbers: for numbers the hub can never reach. Until then an
   * old document that has not expired is accepted as well, so a person must want it.
   */
  forget(): Promise<void>;
  /** Opens the stored manifest anew: does the hub's signature still cover this statement? */
  covers(statement: Envelope): boolean;
}

export interface Trust {
  device: DeviceId;
  hubKeys: readonly PublicKey[];
}

export async function openDocuments(path: string, { device, hubKeys }: Trust, clock: Clock): Promise<Documents> {
  const file = checkedFile(path, Stored);
  const loaded = await file.load();
  let stored = loaded.is === "whole" ? loaded.value : NOTHING;
  const openAssignment = () => opened(stored.assignment, ASSIGNMENT_PAYLOAD_TYPE, Assignment, hubKeys);
  const openManifest = () => opened(stored.manifest, MANIFEST_PAYLOAD_TYPE, Manifest, hubKeys);
  let assignment = openAssignment();
  let manifest = openManifest();

  const learn = () => {
    for (const time of signedTimes(assignment, manifest)) clock.learn(time);
  };
  learn();
  const keep = async (next: Stored) => {
    await file.save(next);
    stored = next;
  };
  // The poll, a stick and a person may all come at once: one after the other, each from the newest state.
  let changing: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const turn = changing.then(change);
    changing = turn.catch(() => undefined);
    return turn;
  };

  return {
    now: () => clock.now(),
    assignment: () => assignment,
    manifest: () => (manifest && manifest.group === assignment?.group ? manifest : null),
    etag: () => (manifest && manifest.group === assignment?.group ? stored.etag : null),
    followed: () => ({
      manifest_sequence: (assignment && stored.manifestFloors[assignment.group]?.sequence) ?? null,
      assignment_sequence: stored.assignmentFloor?.sequence ?? null,
    }),

    offerAssignment: (envelope) =>
      inTurn(async () => {
        const floor = stored.assignmentFloor;
        const received = { envelope, fingerprint: fingerprint(envelope), keys: hubKeys, floor, ownTime: clock.own() };
        const accepted = acceptAssignment({ ...received, device });
        if (!accepted.ok) return accepted.trouble;
        await keep({ ...stored, assignment: Envelope.parse(envelope), assignmentFloor: accepted.floor });
        assignment = accepted.value;
        learn();
        return null;
      }),

    offerManifest: (envelope, etag) =>
      inTurn(async () => {
        if (!assignment) return NOT_ASSIGNED;
        const { group } = assignment;
        const floor = stored.manifestFloors[group] ?? null;
        const received = { envelope, fingerprint: fingerprint(envelope), keys: hubKeys, floor, ownTime: clock.own() };
        const accepted = acceptManifest({ ...received, group, now: clock.now() });
        if (!accepted.ok) return accepted.trouble;
        const { [group]: _replaced, ...others } = stored.manifestFloors;
        const kept = Object.entries(others).slice(-(FLOORS_KEPT - 1));
        const manifestFloors = Object.fromEntries([...kept, [group, accepted.floor]]);
        await keep({ ...stored, manifest: Envelope.parse(envelope), etag, manifestFloors });
        manifest = accepted.value;
        const issuedAt = instant(manifest.issued_at);
        if (isTimeTakenBack(floor, issuedAt)) clock.unlearn(issuedAt);
        learn();
        return null;
      }),

    forget: () =>
      inTurn(async () => {
        await keep(NOTHING);
        assignment = null;
        manifest = null;
        clock.unlearn(0);
      }),

    covers(statement) {
      return (openManifest()?.models ?? []).some((target) =>
        [target.target, target.previous].some((offer) => offer?.statement.payload === statement.payload),
      );
    },
  };
}

/**
 * What documents in force prove of the time. An assignment is dated by its number, which a restored hub puts past the
 * device's own and so ahead of time: it counts only while the hub would not have renewed the manifest yet, at half its life.
 */
function signedTimes(assignment: Assignment | null, manifest: Manifest | null): number[] {
  if (!manifest) return [];
  const issuedAt = instant(manifest.issued_at);
  const halfLife = (issuedAt + instant(manifest.expires_at)) / 2;
  const assignedAt = assignment ? instant(assignment.issued_at) : Infinity;
  return assignedAt <= halfLife ? [issuedAt, assignedAt] : [issuedAt];
}

function opened<T>(
  envelope: Envelope | null,
  payloadType: string,
  schema: z.ZodType<T>,
  keys: readonly PublicKey[],
): T | null {
  const result = openEnvelope(envelope, { payloadType, keys, schema });
  return result.ok ? result.value : null;
}

function fingerprint(envelope: unknown): string {
  const parsed = Envelope.safeParse(envelope);
  return createHash("sha256")
    .update(parsed.success ? parsed.data.payload : "")
    .digest("hex");
}

const NOT_ASSIGNED: Trouble = {
  code: "NOT_ASSIGNED",
  message: "the hub has not said which group this device is in",
  next_step: "Check that the hub knows this device.",
};
