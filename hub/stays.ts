// How long each device has stayed in its phase: counted in memory at every look, written down now and then, so that a restart forgets minutes and not hours.
import { isLate, nextStay, phaseToWatch, type Stay } from "./core/deadlines.ts";
import type { Member } from "./core/progress.ts";
import type { DeploymentRecord } from "./store/records.ts";
import type { Store } from "./store/store.ts";

export interface Stays {
  /** Looks once. @returns the members whose deadline has passed and who are not marked so yet. */
  look(deployment: DeploymentRecord, members: readonly Member[]): Promise<Member[]>;
  /** Another hub conducts now: what it wrote down is read when this one conducts again. */
  forget(): void;
}

interface Watched {
  lookedMs: number;
  writtenMs: number;
  devices: Map<string, Stay>;
}

const WRITE_EVERY_MS = 300_000;

export function countStays({ store, now }: { store: Pick<Store, "deployments">; now: () => number }): Stays {
  const watched = new Map<string, Watched>();
  return {
    async look(deployment, members) {
      const isOpen = deployment.state === "running" || deployment.state === "soaking";
      if (!isOpen) {
        watched.delete(deployment.id);
        return [];
      }
      const nowMs = now();
      const before = watched.get(deployment.id) ?? {
        lookedMs: nowMs,
        writtenMs: nowMs,
        devices: new Map(Object.entries(deployment.stays)),
      };
      const after: Watched = { ...before, lookedMs: nowMs, devices: new Map() };
      watched.set(deployment.id, after);
      const late = members.filter((member) => {
        const phase = phaseToWatch(member);
        if (phase === null || member.timedOut) return false;
        const stay = nextStay(before.devices.get(member.id), phase, nowMs - before.lookedMs);
        after.devices.set(member.id, stay);
        return isLate(stay, deployment.plan.deadlines, member.standing.buildMs);
      });
      // Backwards as well: after its clock was set, a hub must not stop writing for hours.
      if (Math.abs(nowMs - after.writtenMs) >= WRITE_EVERY_MS) {
        after.writtenMs = nowMs;
        await store.deployments.update(deployment.id, { stays: Object.fromEntries(after.devices) });
      }
      return late;
    },
    forget: () => watched.clear(),
  };
}
