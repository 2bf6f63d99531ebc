// Records by key, with their sorted list at hand: replacing one among thousands copies a list of references and sorts nothing.
export interface SortedShelf<T> {
  get(key: string): T | undefined;
  put(item: T): void;
  drop(key: string): void;
  /** Never changes once given; the next change makes another list. */
  items(): T[];
}

/** @param placeOf what the list is sorted by; must not change for a key. */
export function sortedShelf<T>(keyOf: (item: T) => string, placeOf: (item: T) => string = keyOf): SortedShelf<T> {
  const byKey = new Map<string, T>();
  let list: T[] = [];
  let isGiven = false;

  /** The list may be written to: one that was given away is left as it is. */
  const own = () => {
    if (isGiven) list = list.slice();
    isGiven = false;
    return list;
  };
  /** Where it stands, or would stand. */
  const find = (place: string) => {
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = list[middle];
      if (item !== undefined && placeOf(item) < place) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    get: (key) => byKey.get(key),
    put(item) {
      const key = keyOf(item);
      own().splice(find(placeOf(item)), byKey.has(key) ? 1 : 0, item);
      byKey.set(key, item);
    },
    drop(key) {
      const item = byKey.get(key);
      if (item === undefined) return;
      own().splice(find(placeOf(item)), 1);
      byKey.delete(key);
    },
    items() {
      isGiven = true;
      return list;
    },
  };
}
