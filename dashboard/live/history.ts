// Pages of history put together, newest first and without gaps or doubles. Pure.
import type { Event } from "@context-edge/protocol";

/** @returns `newest` itself when the two do not meet: what lies between them is unknown, so the older ones are let go. */
export function prepend(newest: readonly Event[], known: readonly Event[]): readonly Event[] {
  const last = newest.at(-1);
  const first = known[0];
  if (!last || !first || last.id > first.id + 1) return newest;
  return [...newest, ...known.filter(({ id }) => id < last.id)];
}

export function append(known: readonly Event[], older: readonly Event[]): readonly Event[] {
  const last = known.at(-1);
  return last ? [...known, ...older.filter(({ id }) => id < last.id)] : older;
}
