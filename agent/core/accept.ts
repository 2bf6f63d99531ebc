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

/** The highest document accepted so far: its sequence, a fingerprint of its exact payload, and when it says it was signed. */
export interface Floor {
  sequence: number;
  fingerprint: string;
  /** Milliseconds since the epoch; null where an earlier agent did not note it. */
  issuedAt: number | null;
}

export type Accepted<T> = { ok: true; value: T; floor: Floor } | { ok: false; trouble: Trouble };

export interface Received {
  envelope: unknown;
  /** Of the payload's bytes. */
  fingerprint: string;
  keys: readonly PublicKey[];
  floor: Floor | null;
  /** The device's time without anything it learned from documents, milliseconds since the epoch. */
  ownTime: number;
}

/**
 * Sequences are times, and one that is accepted is the least that is accepted ever after: the last number there is would
 * end everything. So wide, because a device's clock may stand years behind (docs/decisions/0005-numbers-far-ahead.md).
 */
export const FAR_AHEAD_MS = 20 * 365 * 24 * 3_600_000;

/** @param received.now with what was learned from documents */
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
  const issuedAt = instant(manifest.issued_at);
  const unordered = checkOrder("MANIFEST", "manifest", { sequence: manifest.sequence, issuedAt }, received);
  if (unordered) return unordered;
  const now = isTimeTakenBack(received.floor, issuedAt) ? received.ownTime : received.now;
  if (instant(manifest.expires_at) <= now) {
    return refuse(
      "MANIFEST_EXPIRED",
      `the hub's manifest expired at ${manifest.expires_at}`,
      "Check the clocks of this device and of the hub, and that the hub still issues manifests.",
    );
  }
  const { fingerprint } = received;
  return { ok: true, value: manifest, floor: { sequence: manifest.sequence, fingerprint, issuedAt } };
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
  const issuedAt = instant(assignment.issued_at);
  const unordered = checkOrder("ASSIGNMENT", "assignment", { sequence: assignment.sequence, issuedAt }, received);
  if (unordered) return unordered;
  const { fingerprint } = received;
  return { ok: true, value: assignment, floor: { sequence: assignment.sequence, fingerprint, issuedAt } };
}

/**
 * A later document that says it is earlier: the hub's clock was ahead when it signed the one before, and what was learned
 * from that one must not make everything after it look expired.
 */
export function isTimeTakenBack(floor: Floor | null, issuedAt: number): boolean {
  return floor !== null && floor.issuedAt !== null && issuedAt < floor.issuedAt;
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

function checkOrder(
  prefix: string,
  what: string,
  { sequence, issuedAt }: { sequence: number; issuedAt: number },
  { floor, fingerprint, ownTime }: Received,
) {
  if (floor && sequence < floor.sequence) {
    return refuse(
      `${prefix}_REPLAYED`,
      `the hub sent ${what} ${sequence}, older than ${floor.sequence} which this device already follows`,
      "A hub that was restored from a backup goes past this number by itself within minutes. If it stays: context-edge-agent forget.",
    );
  }
  if (sequence === floor?.sequence) {
    if (fingerprint === floor.fingerprint) return null;
    return refuse(
      `${prefix}_EQUIVOCATED`,
      `the hub sent two different ${what}s with the number ${sequence}`,
      "Somebody may be using the hub's signing key. Check the hub and its key before anything else.",
    );
  }
  if (Math.max(sequence, issuedAt) > ownTime + FAR_AHEAD_MS) {
    return refuse(
      `${prefix}_FAR_AHEAD`,
      `the hub sent ${what} ${sequence}, more than 20 years ahead of this device's clock`,
      "Check the hub's clock. If it is right, somebody may be using its signing key: check the key before anything else.",
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
