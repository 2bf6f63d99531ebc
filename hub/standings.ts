// Standings kept from one look at the fleet to the next: a device's is computed again only when its record or its target changed.
import { standingOf, type Standing, type TargetView } from "./core/sync.ts";
import type { DeviceRecord } from "./store/records.ts";

export interface Standings {
  /** @returns the view that was kept under this key when it says the same, so that it can be compared by identity. */
  sameView(key: string, view: TargetView | undefined): TargetView | undefined;
  of(device: DeviceRecord, model: string, target: TargetView | undefined): Standing;
}

interface Kept {
  target: TargetView | undefined;
  standing: Standing;
}

export function rememberStandings(): Standings {
  const views = new Map<string, { text: string; view: TargetView }>();
  // By record: one that was read anew is another object, and the old one takes its standings along when it goes.
  const byDevice = new WeakMap<DeviceRecord, Map<string, Kept>>();
  return {
    sameView(key, view) {
      if (!view) {
        views.delete(key);
        return undefined;
      }
      const text = JSON.stringify(view);
      const kept = views.get(key);
      if (kept?.text === text) return kept.view;
      views.set(key, { text, view });
      return view;
    },
    of(device, model, target) {
      let models = byDevice.get(device);
      if (!models) byDevice.set(device, (models = new Map()));
      const kept = models.get(model);
      if (kept && kept.target === target) return kept.standing;
      const { observed, last_outcomes } = device;
      const standing = standingOf(device.id, observed, observed?.models[model], last_outcomes[model] ?? null, target);
      models.set(model, { target, standing });
      return standing;
    },
  };
}
