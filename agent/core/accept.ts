// Which signed documents of the hub this device accepts: right key, right addressee, never older, never two of one number.
import {
  Assignment,
  ASSIGNMENT_PAYLOAD_TYPE,
  type DeviceId,
  type EnvelopeProblem,
  type GroupName,
  Manifest,
  MANIFEST_PAYLOAD_TYPE,
  openEnvelope,
  type PublicKey,
  type Trouble,
} from "@context-edge/protocol";
import { instant } from "./instant.ts";

/** The highest document accepted so far: its sequence, and a fingerprint of its exact payload. */
export interface Floor {
  sequence: number;
  fingerprint: string;
}

export type Accepted<T> = { ok: true; value: T; floor: Floor } | { ok: false; trouble: Trouble };

export interface Received {
  envelope: unknown;
  /** Of the payload's bytes. */
  fingerprint: string;
  keys: readonly PublicKey[];
  floor: Floor | null;
}

export function acceptManifest(received: Received & { group: GroupName; now: number }): Accepted<Manifest> {
  const opened = openEnvelope(received.envelope, {
    payloadType: MANIFEST_PAYLOAD_TYPE,
    keys: received.keys,
    schema: Manifest,
  });
  if (!opened.ok) return refuse(opened.problem, `the manifest was refused: ${WHAT_IS_WRONG[opened.problem]}`);
  const manifest = opened.value;
  if (manifest.group !== received.group) {
    return refuse(
      "MANIFEST_WRONG_GROUP",
      `the hub sent the manifest of group ${manifest.group}, this device is in ${received.group}`,
    );
  }
  const unordered = checkOrder("MANIFEST", "manifest", manifest.sequence, received);
  if (unordered) return unordered;
  if (instant(manifest.expires_at) <= received.now) {
    return refuse(
      "MANIFEST_EXPIRED",
      `the hub's manifest expired at ${manifest.expires_at}`,
      "Check the clocks of this device and of the hub, and that the hub still issues manifests.",
    );
  }
  return { ok: true, value: manifest, floor: { sequence: manifest.sequence, fingerprint: received.fingerprint } };
}

export function acceptAssignment(received: Received & { device: DeviceId }): Accepted<Assignment> {
  const opened = openEnvelope(received.envelope, {
    payloadType: ASSIGNMENT_PAYLOAD_TYPE,
    keys: received.keys,
    schema: Assignment,
  });
  if (!opened.ok) return refuse(opened.problem, `the assignment was refused: ${WHAT_IS_WRONG[opened.problem]}`);
  const assignment = opened.value;
  if (assignment.device !== received.device) {
    return refuse("ASSIGNMENT_WRONG_DEVICE", `the hub sent the assignment of ${assignment.device}`);
  }
  const unordered = checkOrder("ASSIGNMENT", "assignment", assignment.sequence, received);
  if (unordered) return unordered;
  return { ok: true, value: assignment, floor: { sequence: assignment.sequence, fingerprint: received.fingerprint } };
}

/** What a reader is told of an envelope that does not open. */
export const WHAT_IS_WRONG: Record<EnvelopeProblem, string> = {
  ENVELOPE_MALFORMED: "it is not a signed envelope",
  PAYLOAD_TYPE_UNKNOWN: "it is a document of another kind",
  SIGNATURE_MISSING: "it carries no signature",
  KEY_DUPLICATE: "it names the same key twice",
  KEY_UNKNOWN: "it is signed by a key this device does not trust",
  SIGNATURE_INVALID: "its signature does not fit its content",
  PAYLOAD_MALFORMED: "its content is not what this agent understands",
};

function checkOrder(prefix: string, what: string, sequence: number, { floor, fingerprint }: Received) {
  if (!floor) return null;
  if (sequence < floor.sequence) {
    return refuse(
      `${prefix}_REPLAYED`,
      `the hub sent ${what} ${sequence}, older than ${floor.sequence} which this device already follows`,
      "If the hub was restored from a backup, publish any change: its sequence then rises past this one.",
    );
  }
  if (sequence === floor.sequence && fingerprint !== floor.fingerprint) {
    return refuse(
      `${prefix}_EQUIVOCATED`,
      `the hub sent two different ${what}s with the number ${sequence}`,
      "Somebody may be using the hub's signing key. Check the hub and its key before anything else.",
    );
  }
  return null;
}

function refuse(
  code: string,
  message: string,
  nextStep = "Compare the keys of this device with the hub's; the model that runs is not affected.",
): { ok: false; trouble: Trouble } {
  return { ok: false, trouble: { code, message, next_step: nextStep } };
}
