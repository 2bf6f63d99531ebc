// Which of a device's troubles is told: a report has room for one.
import type { Trouble } from "@context-edge/protocol";

export interface Troubles {
  /** A slot that is broken, a model that is not healthy: what runs is at stake. */
  models: readonly (Trouble | null)[];
  /** Why the hub's last document was refused. */
  refused: Trouble | null;
  /** What keeps a wanted version from being fetched; it is tried again. */
  fetching: readonly (Trouble | null)[];
  /** The papers' age, the clock. */
  others: readonly (Trouble | null)[];
}

/**
 * A refused number comes before everything: the hub mends it by itself once it hears of it, and until then it can order
 * nothing that would mend the rest. What is wrong with a model shows in its phase and outcome all the same.
 */
export function foremostTrouble({ models, refused, fetching, others }: Troubles): Trouble | null {
  const isNumber = refused !== null && /_(?:REPLAYED|FAR_AHEAD)$/.test(refused.code);
  const inOrder = isNumber ? [refused] : [...models, refused, ...fetching, ...others];
  return inOrder.find((one) => one !== null) ?? null;
}
