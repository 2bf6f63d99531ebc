// Who was heard of lately: kept in memory, because a poll must not cost a write, and flushed to the store now and then.
import { setImmediate as breathe } from "node:timers/promises";
import type { Store } from "./store/store.ts";

export interface Presence {
  seen(deviceId: string): void;
  /** A held long-poll is a sign of life for as long as it is held. @returns a function to call when it ends. */
  hold(deviceId: string): () => void;
  isOnline(deviceId: string): boolean;
  /** How many of them are online. */
  countOnline(deviceIds: Iterable<string>): number;
  lastSeen(deviceId: string): string | null;
  /** Devices whose poll is held now. */
  held(): number;
  /** Devices whose being online has changed since the last call. */
  changed(): string[];
  flush(): Promise<void>;
}

const CLOCK_WAS_SET_MS = 1_000;
/** Written in one statement; the loop breathes in between. */
const FLUSH_AT_ONCE = 200;

export interface PresenceSettings {
  offlineAfterMs: number;
  /** Milliseconds since the epoch, to tell people. */
  now: () => number;
  /** Milliseconds since whenever, to count by: a clock that is set must not make a whole fleet disappear. Default: `now`. */
  uptime?: () => number;
  store: Pick<Store, "devices">;
}

/** @param known last-seen times as stored; after a restart everyone known counts as just seen, until proved silent. */
export function trackPresence(
  known: ReadonlyMap<string, string | null>,
  { offlineAfterMs, now, uptime = now, store }: PresenceSettings,
): Presence {
  const startedMs = uptime();
  const seenMs = new Map<string, number>();
  const held = new Map<string, number>();
  const dirty = new Set<string>();
  const told = new Map<string, boolean>();
  const stored = new Map(known);
  for (const [id, at] of known) {
    if (at === null) continue;
    seenMs.set(id, startedMs);
    // Nothing has changed by starting: a fleet of thousands is not told anew.
    told.set(id, true);
  }

  let offsetMs = now() - uptime();
  /** The two clocks drift apart by fractions: only a clock that was set moves what people were told. */
  const wallTime = (ms: number) => {
    const present = now() - uptime();
    if (Math.abs(present - offsetMs) > CLOCK_WAS_SET_MS) offsetMs = present;
    return new Date(Math.round(ms + offsetMs)).toISOString();
  };

  const isOnlineAt = (id: string, atMs: number) =>
    held.has(id) || atMs - (seenMs.get(id) ?? -Infinity) < offlineAfterMs;

  const presence: Presence = {
    seen(id) {
      seenMs.set(id, uptime());
      dirty.add(id);
    },
    hold(id) {
      held.set(id, (held.get(id) ?? 0) + 1);
      presence.seen(id);
      return () => {
        const left = (held.get(id) ?? 1) - 1;
        if (left > 0) held.set(id, left);
        else held.delete(id);
        presence.seen(id);
      };
    },
    isOnline: (id) => isOnlineAt(id, uptime()),
    countOnline(ids) {
      // A clock is asked once for thousands.
      const atMs = uptime();
      let count = 0;
      for (const id of ids) if (isOnlineAt(id, atMs)) count += 1;
      return count;
    },
    lastSeen(id) {
      if (held.has(id)) return new Date(now()).toISOString();
      const ms = seenMs.get(id);
      // The benefit of the doubt after a restart is no sighting: show what was stored.
      if (ms === undefined || (ms === startedMs && !dirty.has(id))) return stored.get(id) ?? null;
      return wallTime(ms);
    },
    held: () => held.size,
    changed() {
      const changes = [...seenMs.keys()].filter((id) => told.get(id) !== presence.isOnline(id));
      for (const id of changes) told.set(id, presence.isOnline(id));
      return changes;
    },
    async flush() {
      const ids = [...dirty];
      for (let start = 0; start < ids.length; start += FLUSH_AT_ONCE) {
        const slice = ids.slice(start, start + FLUSH_AT_ONCE);
        const batch = new Map(slice.map((id) => [id, wallTime(seenMs.get(id) ?? uptime())]));
        // Before it is written: who is seen meanwhile is written again the next time.
        for (const id of slice) dirty.delete(id);
        try {
          await store.devices.touch(batch);
        } catch (error) {
          for (const id of slice) dirty.add(id);
          throw error;
        }
        for (const [id, at] of batch) stored.set(id, at);
        await breathe();
      }
    },
  };
  return presence;
}
