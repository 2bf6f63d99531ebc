// Pages of a list in any order: the cursor is a place in that order, so rows that come and go in between neither repeat nor hide others.
import { badCursor } from "./listing.ts";

type Key = string | number;

export interface Order<T> {
  /** Names list, sorting and direction: a cursor of another order is refused. */
  name: string;
  keyOf: (item: T) => Key;
  /** Makes equal keys different. */
  idOf: (item: T) => string;
  descending: boolean;
}

export function sortedPage<T>(
  all: readonly T[],
  { name, keyOf, idOf, descending }: Order<T>,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): { items: T[]; next_cursor: string | null } {
  const sign = descending ? -1 : 1;
  const compare = ([a, aId]: Place, [b, bId]: Place) => sign * (compareKeys(a, b) || compareKeys(aId, bId));
  const after = cursor === undefined ? undefined : readCursor(cursor, name);
  const placed = all.map((item) => ({ item, place: [keyOf(item), idOf(item)] as const }));
  // One pass and one sort of what is left; keys are taken once, not at every comparison.
  const rest = after === undefined ? placed : placed.filter(({ place }) => compare(place, after) > 0);
  rest.sort((a, b) => compare(a.place, b.place));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    next_cursor: last && rest.length > limit ? writeCursor(name, last.place) : null,
  };
}

type Place = readonly [Key, string];

/** By code unit: the same everywhere, and much faster than by language. */
function compareKeys(a: Key, b: Key): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export const writeCursor = (name: string, place: readonly unknown[]): string =>
  Buffer.from(JSON.stringify([name, ...place])).toString("base64url");

function readCursor(cursor: string, name: string): Place {
  try {
    const [of, key, id] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
    if (of === name && (typeof key === "string" || typeof key === "number") && typeof id === "string") return [key, id];
  } catch {
    // Not one of ours.
  }
  throw badCursor(cursor);
}

/** For lists that the database pages through by id. */
export function idCursor(cursor: string | undefined, name: string): string | undefined {
  return cursor === undefined ? undefined : String(readCursor(cursor, name)[0]);
}
