// Who a credential belongs to: looked up once, kept by the very header that brought it, and forgotten when the device changes.
import { hashSecret } from "./auth/secrets.ts";
import type { Changes } from "./changes.ts";
import type { FleetMemory } from "./fleet-memory.ts";
import { ProblemError } from "./problem-error.ts";
import type { DeviceRecord } from "./store/records.ts";
import type { Store } from "./store/store.ts";

export type Identity = Readonly<Pick<DeviceRecord, "id" | "group_name" | "assignment_sequence" | "hold">>;

export interface Identities {
  /** From memory, without waiting. */
  known(header: string | undefined): Identity | undefined;
  /** False once anything about the device has changed, or may have changed unheard: look it up again. */
  isCurrent(identity: Identity): boolean;
  /** @throws UNAUTHENTICATED, DEVICE_REVOKED, or OVERLOADED when more are waiting than can be looked up soon. */
  identify(header: string | undefined): Promise<Identity>;
}

interface Parts {
  store: Pick<Store, "devices">;
  changes: Pick<Changes, "listen">;
  memory: Pick<FleetMemory, "fleet" | "byCredential">;
}

/** Two generations of this many are kept: an old one is dropped whole, and whoever still comes moves to the young one. */
const GENERATION = 20_000;
/** Look-ups that may wait for the database; beyond, the caller is told to come back. */
const MOST_LOOKUPS = 500;
/** How attempts ended: they change nothing about who a device is. */
const OUTCOMES = new Set(["device.committed", "device.rolled-back", "device.rejected", "device.failed"]);

export function rememberIdentities({ store, changes, memory }: Parts, generation = GENERATION): Identities {
  let young = new Map<string, Identity>();
  let old = new Map<string, Identity>();
  const headers = new Map<string, string>();
  const outdated = new WeakSet<Identity>();
  /** Devices that changed while somebody was being looked up: what was found may be what was before. */
  const changed = new Map<string, number>();
  let stamp = 0;
  let looking = 0;
  let asking = 0;

  changes.listen((notice) => {
    if (notice.kind !== "event" || !notice.event.kind.startsWith("device.") || OUTCOMES.has(notice.event.kind)) return;
    const { subject } = notice.event;
    stamp += 1;
    if (looking > 0) changed.set(subject, stamp);
    const header = headers.get(subject);
    if (header === undefined) return;
    drop(header);
    headers.delete(subject);
  });
  const drop = (header: string) => {
    for (const generationOf of [young, old]) {
      const identity = generationOf.get(header);
      if (identity) outdated.add(identity);
      generationOf.delete(header);
    }
  };

  const keep = (header: string, identity: Identity) => {
    if (young.size >= generation) {
      for (const [dropped, aged] of old) {
        if (young.has(dropped)) continue;
        // Nobody would tell of its changes any more: whoever still holds it has to look again.
        outdated.add(aged);
        if (headers.get(aged.id) === dropped) headers.delete(aged.id);
      }
      old = young;
      young = new Map();
    }
    // One device, one credential: an earlier header of the same device is void.
    const earlier = headers.get(identity.id);
    if (earlier !== undefined && earlier !== header) drop(earlier);
    headers.set(identity.id, header);
    young.set(header, identity);
  };

  const known: Identities["known"] = (header) => {
    if (header === undefined) return undefined;
    const identity = young.get(header);
    if (identity) return identity;
    const aged = old.get(header);
    if (aged) keep(header, aged);
    return aged;
  };

  const lookUp = async (header: string | undefined): Promise<Identity> => {
    const credential = /^Bearer (\S{1,200})$/i.exec(header ?? "")?.[1];
    if (credential === undefined || header === undefined) throw unknown();
    const hash = hashSecret(credential);
    const began = stamp;
    await memory.fleet();
    const device = memory.byCredential(hash) ?? (await askStore(hash));
    if (!device) throw unknown();
    if (device.revoked) throw new ProblemError("DEVICE_REVOKED", `${device.id} was revoked.`);
    const { id, group_name, assignment_sequence, hold } = device;
    const identity = { id, group_name, assignment_sequence, hold };
    if ((changed.get(id) ?? 0) > began) return lookUp(header);
    keep(header, identity);
    return identity;
  };

  /** Memory knows everybody but the revoked: only those and strangers get here. */
  const askStore = async (hash: string) => {
    if (asking >= MOST_LOOKUPS) {
      throw new ProblemError("OVERLOADED", "The hub has more to look up than it can do at once.", {
        nextStep: "Come back when Retry-After says.",
      });
    }
    asking += 1;
    try {
      return await store.devices.byCredential(hash);
    } finally {
      asking -= 1;
    }
  };

  return {
    known,
    isCurrent: (identity) => !outdated.has(identity),
    async identify(header) {
      const found = known(header);
      if (found) return found;
      looking += 1;
      try {
        return await lookUp(header);
      } finally {
        looking -= 1;
        if (looking === 0) changed.clear();
      }
    },
  };
}

function unknown(): ProblemError {
  return new ProblemError("UNAUTHENTICATED", "This device is not known by that credential.", {
    nextStep: "Enrol it again.",
  });
}
