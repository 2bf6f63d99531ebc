// Which files a device may fetch: those that its group's manifest names, now or to go back to. Another group's are not even said to be there.
import { type Digest, Envelope, Manifest, peekPayload, Statement } from "@context-edge/protocol";
import type { Published, Publisher } from "./publisher.ts";
import type { DeviceRecord } from "./store/records.ts";
import type { Store } from "./store/store.ts";

export interface Offers {
  /** From memory; whoever would be refused is looked up first, because another hub may have told it of newer orders. */
  include(device: Pick<DeviceRecord, "id" | "group_name">, digest: Digest): Promise<boolean>;
}

interface Parts {
  publisher: Pick<Publisher, "current">;
  store: Pick<Store, "devices" | "groups">;
}

export function rememberOffers({ publisher, store }: Parts): Offers {
  const known = new WeakMap<Published, ReadonlySet<Digest>>();
  const digestsIn = (published: Published): ReadonlySet<Digest> => {
    const digests = known.get(published) ?? digestsOf(Envelope.parse(JSON.parse(published.body.toString())));
    known.set(published, digests);
    return digests;
  };
  return {
    async include({ id, group_name }, digest) {
      const published = publisher.current(group_name);
      if (published && digestsIn(published).has(digest)) return true;
      const device = await store.devices.find(id);
      const manifest = device && (await store.groups.find(device.group_name))?.manifest;
      return manifest ? digestsOf(manifest).has(digest) : false;
    },
  };
}

/** What a device says that it runs counts for nothing here: it could name any digest it has heard of. */
function digestsOf(manifest: Envelope): ReadonlySet<Digest> {
  return new Set(statementsIn(manifest).flatMap(({ variants }) => variants.map((variant) => variant.digest)));
}

/** Of the targets, and of what devices outside the wave or on their way back run. */
export function statementsIn(manifest: Envelope): Statement[] {
  const offers = peekPayload(manifest, Manifest)?.models.flatMap(({ target, previous }) => [target, previous]) ?? [];
  return offers.flatMap((offer) => (offer && peekPayload(offer.statement, Statement)) ?? []);
}
