// Manifests as prebuilt bytes: one sealed buffer and ETag per group, so that a poll costs neither database nor signature.
import { createHash } from "node:crypto";
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
import { readFleet, type Fleet } from "./fleet.ts";
import type { GroupRecord } from "./store/records.ts";
import type { Store } from "./store/store.ts";

export interface Published {
  etag: string;
  body: Buffer;
  expiresAtMs: number;
}

export interface Publisher {
  current(group: string): Published | undefined;
  /** Brings the manifests of these groups, or of all, in line with their targets. Unchanged ones keep their bytes. */
  refresh(groups?: Iterable<string>): Promise<void>;
  /** Resolves when the group's manifest changes, the device is moved, or the signal aborts. */
  waitForNews(deviceId: string, group: string, signal: AbortSignal): Promise<void>;
  wakeDevice(deviceId: string): void;
  assignment(device: { id: string; group_name: string; assignment_sequence: number; hold: Hold | null }): Envelope;
}

interface Settings {
  store: Store;
  key: SigningKey;
  policy: ProbePolicy;
  lifetimeMs: number;
  now: () => number;
}

/** Renewed when less than this share of its life is left, so that a device that polls never meets an expired one. */
const RENEW_BELOW_SHARE = 0.5;
/** Held polls answered in one go; the loop breathes in between. */
const WAKE_SLICE = 200;

export function startPublisher({ store, key, policy, lifetimeMs, now }: Settings): Publisher {
  const published = new Map<string, Published>();
  const waiting = new Map<string, { group: string; wake: () => void }[]>();
  let queue: Promise<void> = Promise.resolve();

  async function refreshNow(only: ReadonlySet<string> | undefined): Promise<void> {
    // Presence does not matter for what a group should run.
    const fleet = await readFleet(store, { isOnline: () => false });
    for (const group of fleet.groups) {
      if (only && !only.has(group.name)) continue;
      const fresh = await sealIfChanged(group, fleet);
      published.set(group.name, toPublished(group.name, fresh.envelope, fresh.sequence));
      if (fresh.isNew) await wakeGroup(group.name);
    }
  }

  async function sealIfChanged(group: GroupRecord, fleet: Fleet) {
    const orders = ordersOf(fleet, group.name);
    const content = createHash("sha256")
      .update(JSON.stringify([orders, policy]))
      .digest("hex");
    const kept = group.manifest && peekPayload(group.manifest, Manifest);
    const isFresh = kept && Date.parse(kept.expires_at) - now() > lifetimeMs * RENEW_BELOW_SHARE;
    const isOurs = group.manifest?.signatures[0]?.keyid === key.publicKey.id;
    if (group.manifest && isFresh && isOurs && group.manifest_content === content) {
      return { envelope: group.manifest, sequence: group.manifest_sequence, isNew: false };
    }
    const sequence = nextSequence(group.manifest_sequence, now());
    const issue = {
      sequence,
      issuedAt: new Date(now()).toISOString(),
      expiresAt: new Date(now() + lifetimeMs).toISOString(),
    };
    const envelope = seal(MANIFEST_PAYLOAD_TYPE, manifestBody(group.name, orders, policy, issue), key);
    // On the disk before anyone sees it: a number that was served must never be given to other bytes.
    const saved = { manifest_sequence: sequence, manifest: envelope, manifest_content: content };
    await store.transaction((tx) => tx.groups.saveManifest(group.name, saved));
    return { envelope, sequence, isNew: true };
  }

  async function wakeGroup(group: string): Promise<void> {
    const wakes = [...waiting.values()].flat().filter((waiter) => waiter.group === group);
    for (let start = 0; start < wakes.length; start += WAKE_SLICE) {
      for (const { wake } of wakes.slice(start, start + WAKE_SLICE)) wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
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
    waitForNews(deviceId, group, signal) {
      return new Promise((resolve) => {
        const waiter = { group, wake: done };
        function done() {
          signal.removeEventListener("abort", done);
          const others = (waiting.get(deviceId) ?? []).filter((one) => one !== waiter);
          if (others.length > 0) waiting.set(deviceId, others);
          else waiting.delete(deviceId);
          resolve();
        }
        if (signal.aborted) return resolve();
        signal.addEventListener("abort", done);
        waiting.set(deviceId, [...(waiting.get(deviceId) ?? []), waiter]);
      });
    },
    wakeDevice(deviceId) {
      for (const { wake } of waiting.get(deviceId) ?? []) wake();
    },
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
      return seal(ASSIGNMENT_PAYLOAD_TYPE, assignment, key);
    },
  };
}

/** Only what can be proved is published: a version without a statement is left out. */
function ordersOf(fleet: Fleet, group: string): TargetOrder[] {
  return fleet.targets
    .filter((target) => target.group_name === group)
    .flatMap((target) => {
      const view = fleet.targetView(group, target.model);
      const statement = fleet.version(target.model, target.version)?.statement;
      if (!view || !statement) return [];
      const previous = target.previous_version ? fleet.version(target.model, target.previous_version) : undefined;
      return [{ model: target.model, view, statement, previousStatement: previous?.statement ?? null }];
    });
}

function toPublished(group: string, envelope: Envelope, sequence: number): Published {
  const manifest = peekPayload(envelope, Manifest);
  return {
    etag: `"${group}-${sequence}"`,
    body: Buffer.from(JSON.stringify(envelope)),
    expiresAtMs: manifest ? Date.parse(manifest.expires_at) : 0,
  };
}
