// Manifests as prebuilt bytes: one sealed buffer and ETag per group, so that a poll costs neither database nor signature.
import { createHash } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import {
  type Assignment,
  ASSIGNMENT_PAYLOAD_TYPE,
  MANIFEST_PAYLOAD_TYPE,
  Manifest,
  peekPayload,
  seal,
  type Envelope,
  type Hold,
  type ProbePolicy,
  type SigningKey,
} from "@context-edge/protocol";
import { manifestBody, nextSequence, type TargetOrder } from "./core/desired.ts";
import { whyNotRestorable } from "./deployable.ts";
import { type Plans, readPlans } from "./fleet.ts";
import type { GroupRecord } from "./store/records.ts";
import type { Repositories, Store } from "./store/store.ts";

export interface Published {
  etag: string;
  body: Buffer;
  expiresAtMs: number;
}

export interface Publisher {
  current(group: string): Published | undefined;
  /** Brings the manifests of these groups, or of all, in line with their targets. Unchanged ones keep their bytes. */
  refresh(groups?: Iterable<string>): Promise<void>;
  /** Ends the wait of a device about which something has changed. */
  wakeDevice(deviceId: string): void;
  assignment(device: { id: string; group_name: string; assignment_sequence: number; hold: Hold | null }): Envelope;
}

interface Settings {
  store: Store;
  fleet: () => Promise<Plans>;
  /** Told when a group has a new manifest that is on the disk. */
  onSealed: (group: string) => void;
  /** Tells the devices that wait. */
  wakeGroup: (group: string) => Promise<void>;
  wakeDevice: (deviceId: string) => void;
  /** Every one of them signs. */
  keys: readonly [SigningKey, ...SigningKey[]];
  /** Inside the transaction that seals: tells the other replicas. */
  announce: (tx: Repositories, group: string) => Promise<void>;
  policy: ProbePolicy;
  lifetimeMs: number;
  now: () => number;
}

/** Renewed when less than this share of its life is left, so that a device that polls never meets an expired one. */
const RENEW_BELOW_SHARE = 0.5;
const FOREIGN_KEY_PAUSE_MS = 5_000;
/** Groups looked at in one go; the loop breathes in between. */
const GROUPS_AT_ONCE = 20;

export function startPublisher(settings: Settings): Publisher {
  const { store, keys, announce, policy, lifetimeMs, now } = settings;
  const published = new Map<string, Published>();
  let queue: Promise<void> = Promise.resolve();

  async function refreshNow(only: ReadonlySet<string> | undefined): Promise<void> {
    const fleet = await settings.fleet();
    for (const [index, group] of fleet.groups.entries()) {
      if (only && !only.has(group.name)) continue;
      const fresh = await sealIfChanged(group, fleet);
      published.set(group.name, toPublished(group.name, fresh.envelope, fresh.sequence));
      if (fresh.isNew) {
        settings.onSealed(group.name);
        await settings.wakeGroup(group.name);
      } else if (!only && index % GROUPS_AT_ONCE === 0) await breathe();
    }
  }

  async function sealIfChanged(group: GroupRecord, fleet: Plans) {
    const kept = stillGood(group, fleet);
    if (kept) return kept;
    // Another replica may be at it as well, or may have changed a target since the fleet was read. Behind the store's lock
    // both are looked at again: one number is never sealed to two different contents, and the newest orders are the last word.
    return store.transaction(async (tx) => {
      const current = await readPlans(tx);
      const row = current.groups.find(({ name }) => name === group.name) ?? group;
      const won = stillGood(row, current);
      if (won) return won;
      const sequence = nextSequence(row.manifest_sequence, now());
      const issue = {
        sequence,
        issuedAt: new Date(now()).toISOString(),
        expiresAt: new Date(now() + lifetimeMs).toISOString(),
      };
      const orders = ordersOf(current, group.name);
      const envelope = seal(MANIFEST_PAYLOAD_TYPE, manifestBody(group.name, orders, policy, issue), ...keys);
      // On the disk before anyone sees it: a number that was served must never be given to other bytes.
      const saved = { manifest_sequence: sequence, manifest: envelope, manifest_content: contentOf(orders) };
      await tx.groups.saveManifest(group.name, saved);
      await announce(tx, group.name);
      return { envelope, sequence, isNew: true };
    });
  }

  const contentOf = (orders: readonly TargetOrder[]) =>
    createHash("sha256")
      .update(JSON.stringify([orders, policy]))
      .digest("hex");

  function stillGood({ name, manifest, manifest_sequence, manifest_content }: GroupRecord, fleet: Plans) {
    const kept = manifest && peekPayload(manifest, Manifest);
    if (!manifest || !kept || manifest_content !== contentOf(ordersOf(fleet, name))) return undefined;
    if (Date.parse(kept.expires_at) - now() <= lifetimeMs * RENEW_BELOW_SHARE) return undefined;
    const signers = new Set(manifest.signatures.map(({ keyid }) => keyid));
    if (!keys.every(({ publicKey }) => signers.has(publicKey.id))) {
      // Replicas without a key in common (docs/scaling.md tells how not to) must not seal past each other in a circle.
      const isOthers = !keys.some(({ publicKey }) => signers.has(publicKey.id));
      if (!isOthers || now() - Date.parse(kept.issued_at) > FOREIGN_KEY_PAUSE_MS) return undefined;
    }
    // Perhaps sealed by another replica: news to the devices that wait here.
    const isNew = published.get(name)?.etag !== etagOf(name, manifest_sequence);
    return { envelope: manifest, sequence: manifest_sequence, isNew };
  }

  return {
    current: (group) => published.get(group),
    refresh(groups) {
      const only = groups && new Set(groups);
      // One after another: two refreshes of one group must not seal the same number twice.
      const run = queue.then(() => refreshNow(only));
      queue = run.catch(() => undefined);
      return run;
    },
    wakeDevice: settings.wakeDevice,
    assignment({ id, group_name, assignment_sequence, hold }) {
      const assignment: Assignment = {
        schema: 1,
        device: id,
        group: group_name,
        sequence: assignment_sequence,
        // From the sequence, which is a time: the same number must always come with the same bytes.
        issued_at: new Date(assignment_sequence).toISOString(),
        hold,
      };
      return seal(ASSIGNMENT_PAYLOAD_TYPE, assignment, ...keys);
    },
  };
}

/** Only what can be proved is published: a version without a statement is left out. */
function ordersOf(fleet: Plans, group: string): TargetOrder[] {
  return fleet.targets
    .filter((target) => target.group_name === group)
    .flatMap((target) => {
      const view = fleet.targetView(group, target.model);
      const statement = fleet.version(target.model, target.version)?.statement;
      if (!view || !statement) return [];
      const outside = view.outsideVersion ? fleet.version(target.model, view.outsideVersion) : undefined;
      // What nobody may install is not offered to those outside the wave either.
      const outsideStatement = outside && !whyNotRestorable(outside) ? outside.statement : null;
      return [{ model: target.model, view, statement, outsideStatement }];
    });
}

const etagOf = (group: string, sequence: number) => `"${group}-${sequence}"`;

function toPublished(group: string, envelope: Envelope, sequence: number): Published {
  const manifest = peekPayload(envelope, Manifest);
  const body = Buffer.from(JSON.stringify(envelope));
  return {
    etag: etagOf(group, sequence),
    body,
    expiresAtMs: manifest ? Date.parse(manifest.expires_at) : 0,
  };
}
