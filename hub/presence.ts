// Who was heard of lately: kept in memory, because a poll must not cost a write, and flushed to the store now and then.
import type { Store } from "./store/store.ts";

export interface Presence {
  seen(deviceId: string): void;
  /** A held long-poll is a sign of life for as long as it is held. @returns a function to call when it ends. */
  hold(deviceId: string): () => void;
  isOnline(deviceId: string): boolean;
  lastSeen(deviceId: string): string | null;
  /** Devices whose being online has changed since the last call. */
  changed(): string[];
  flush(): Promise<void>;
}

/** @param known last-seen times as stored; after a restart everyone known counts as just seen, until proved silent. */
export function trackPresence(
  known: ReadonlyMap<string, string | null>,
  { offlineAfterMs, now, store }: { offlineAfterMs: number; now: () => number; store: Store },
): Presence {
  const startedMs = now();
  const seenMs = new Map<string, number>();
  const held = new Map<string, number>();
  const dirty = new Set<string>();
  const told = new Map<string, boolean>();
  const stored = new Map(known);
  for (const [id, at] of known) if (at !== null) seenMs.set(id, startedMs);

  const presence: Presence = {
    seen(id) {
      seenMs.set(id, now());
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
    isOnline: (id) => held.has(id) || now() - (seenMs.get(id) ?? -Infinity) < offlineAfterMs,
    lastSeen(id) {
      if (held.has(id)) return new Date(now()).toISOString();
      const ms = seenMs.get(id);
      // The benefit of the doubt after a restart is no sighting: show what was stored.
      if (ms === undefined || (ms === startedMs && !dirty.has(id))) return stored.get(id) ?? null;
      return new Date(ms).toISOString();
    },
    changed() {
      const changes = [...seenMs.keys()].filter((id) => told.get(id) !== presence.isOnline(id));
      for (const id of changes) told.set(id, presence.isOnline(id));
      return changes;
    },
    async flush() {
      const batch = new Map([...dirty].map((id) => [id, new Date(seenMs.get(id) ?? now()).toISOString()]));
      if (batch.size === 0) return;
      await store.transaction((tx) => tx.devices.touch(batch));
      for (const [id, at] of batch) stored.set(id, at);
      dirty.clear();
    },
  };
  return presence;
}
