// Presence among replicas: a device polls one of them and is online on all. Each tells the others, now and then, whom it heard of.
import type { Presence } from "./presence.ts";

export interface SharedPresence extends Presence {
  /** Whom this replica heard of since the last call, held polls included. */
  takeSeen(): string[];
  /** Another replica heard of these. Never told on, so that word does not go round for ever. */
  heardElsewhere(ids: readonly string[]): void;
}

interface Settings {
  offlineAfterMs: number;
  now: () => number;
  /** To count by; default: `now`. */
  uptime?: () => number;
}

export function sharePresence(own: Presence, { offlineAfterMs, now, uptime = now }: Settings): SharedPresence {
  // Kept while this hub runs, one number a device: when it was last seen must not fall back to what this replica saw itself.
  const elsewhereMs = new Map<string, number>();
  const told = new Map<string, boolean>();
  const fresh = new Set<string>();
  const held = new Map<string, number>();

  const isOnline = (id: string) => own.isOnline(id) || uptime() - (elsewhereMs.get(id) ?? -Infinity) < offlineAfterMs;
  return {
    isOnline,
    countOnline(ids) {
      // Alone, this hub is all there is to ask.
      if (elsewhereMs.size === 0) return own.countOnline(ids);
      let count = 0;
      for (const id of ids) if (isOnline(id)) count += 1;
      return count;
    },
    seen(id) {
      fresh.add(id);
      own.seen(id);
    },
    hold(id) {
      fresh.add(id);
      held.set(id, (held.get(id) ?? 0) + 1);
      const release = own.hold(id);
      return () => {
        const left = (held.get(id) ?? 1) - 1;
        if (left > 0) held.set(id, left);
        else held.delete(id);
        fresh.add(id);
        release();
      };
    },
    lastSeen(id) {
      const here = own.lastSeen(id);
      const elsewhere = elsewhereMs.get(id);
      if (elsewhere === undefined) return here;
      const there = new Date(now() - Math.round(uptime() - elsewhere)).toISOString();
      return here !== null && here > there ? here : there;
    },
    changed() {
      const candidates = new Set([...own.changed(), ...elsewhereMs.keys()]);
      const changes = [...candidates].filter((id) => told.get(id) !== isOnline(id));
      for (const id of changes) told.set(id, isOnline(id));
      return changes;
    },
    held: () => held.size,
    flush: () => own.flush(),
    takeSeen() {
      const ids = new Set([...fresh, ...held.keys()]);
      fresh.clear();
      return [...ids];
    },
    heardElsewhere(ids) {
      for (const id of ids) elsewhereMs.set(id, uptime());
    },
  };
}
