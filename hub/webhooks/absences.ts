// Devices that stay away too long, told once per absence: what was told is on the disk, so a restart tells nothing twice.
import type { Changes } from "../changes.ts";
import type { Fleet } from "../fleet.ts";
import type { Presence } from "../presence.ts";
import type { Store } from "../store/store.ts";

interface Settings {
  store: Store;
  fleet: () => Promise<Pick<Fleet, "devices">>;
  changes: Changes;
  presence: Pick<Presence, "isOnline" | "lastSeen">;
  offlineAfterSeconds: number;
  now: () => number;
}

/** More than this in one look is one piece of news (a site lost its network), not hundreds. */
const ONE_BY_ONE = 20;
const ACTOR = "hub";

interface Absent {
  id: string;
  since: string;
}

export async function tellAbsences({
  store,
  fleet,
  changes,
  presence,
  offlineAfterSeconds,
  now,
}: Settings): Promise<void> {
  const hooks = await store.webhooks.list();
  const limits = new Set([offlineAfterSeconds, ...hooks.flatMap((hook) => hook.offline_after_seconds ?? [])]);
  const told = new Map((await store.absences.list()).map((one) => [`${one.device_id}/${one.limit_seconds}`, one]));
  const { devices } = await fleet();
  const back = new Set<string>();
  const gone = new Map<number, Absent[]>();
  for (const { id, last_seen } of devices) {
    // Another hub may have written a later one, before this one was started.
    const since = laterOf(presence.lastSeen(id), last_seen);
    if (since === null) continue;
    for (const limit of limits) {
      const known = told.get(`${id}/${limit}`);
      // After a restart the time shown may be older than the one that was told; only a later sighting ends an absence.
      if (known && since > known.since) back.add(id);
      const isOver = !presence.isOnline(id) && now() - Date.parse(since) >= limit * 1_000;
      if (isOver && (!known || since > known.since)) gone.set(limit, [...(gone.get(limit) ?? []), { id, since }]);
    }
  }
  const ids = new Set(devices.map(({ id }) => id));
  for (const { device_id } of told.values()) if (!ids.has(device_id)) back.add(device_id);
  if (back.size === 0 && gone.size === 0) return;

  await changes.make(ACTOR, async ({ tx, tell }) => {
    for (const id of back) await tx.absences.remove(id);
    for (const [limit, absent] of gone) {
      for (const { id, since } of absent) await tx.absences.put({ device_id: id, limit_seconds: limit, since });
      const sayFor = wordsFor(limit);
      if (absent.length > ONE_BY_ONE) {
        const device_ids = absent.map(({ id }) => id);
        const summary = `${absent.length} devices have been silent for more than ${sayFor}: ${device_ids.slice(0, 5).join(", ")}, …`;
        await tell("device.offline", `${absent.length} devices`, summary, { limit_seconds: limit, device_ids });
      } else {
        for (const { id, since } of absent) {
          const summary = `${id} has been silent for more than ${sayFor}, since ${since}`;
          await tell("device.offline", id, summary, { limit_seconds: limit, device_id: id, last_seen: since });
        }
      }
    }
  });
}

const laterOf = (a: string | null, b: string | null) => (a === null || (b !== null && b > a) ? b : a);

function wordsFor(seconds: number): string {
  const [amount, unit] =
    seconds % 3_600 === 0
      ? [seconds / 3_600, "hour"]
      : seconds % 60 === 0
        ? [seconds / 60, "minute"]
        : [seconds, "second"];
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}
