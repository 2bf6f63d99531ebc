// What a change touched, so that pages, memories and other replicas can be told the new state of just those.
import { DEFAULT_MODEL } from "@context-edge/protocol";
import type { Repositories } from "./store/store.ts";

export interface Touched {
  devices: Set<string>;
  groups: Set<string>;
  /** Groups whose devices all stand differently now, though no device's record has changed. */
  members: Set<string>;
  deployments: Set<string>;
  /** `model/version`. */
  versions: Set<string>;
}

export const nothingTouched = (): Touched => ({
  devices: new Set(),
  groups: new Set(),
  members: new Set(),
  deployments: new Set(),
  versions: new Set(),
});

/** For when word of a change was missed: every thing there is counts as touched. */
export async function everythingTouched(store: Repositories): Promise<Touched> {
  const [devices, groups, targets, open] = await Promise.all([
    store.devices.list(),
    store.groups.list(),
    store.targets.list(),
    store.deployments.open(),
  ]);
  const models = new Set([DEFAULT_MODEL, ...targets.map(({ model }) => model)]);
  const versions = (await Promise.all([...models].map((model) => store.versions.list(model)))).flat();
  return {
    devices: new Set(devices.map(({ id }) => id)),
    groups: new Set(groups.map(({ name }) => name)),
    members: new Set(),
    deployments: new Set([...targets.map((target) => target.deployment_id), ...open.map(({ id }) => id)]),
    versions: new Set(versions.map((version) => `${version.model}/${version.version_id}`)),
  };
}
