// One way of paging: `?limit=&cursor=` in, `{items, next_cursor}` out.
import { ProblemError } from "../problem-error.ts";

/** Pages through a list that is in memory anyway; the cursor is the key of the last item given. */
export function pageOf<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): { items: T[]; next_cursor: string | null } {
  const start = cursor === undefined ? 0 : all.findIndex((item) => keyOf(item) === cursor) + 1;
  if (cursor !== undefined && start === 0) throw badCursor(cursor);
  const items = all.slice(start, start + limit);
  const last = items.at(-1);
  return { items, next_cursor: last && start + limit < all.length ? keyOf(last) : null };
}

export function badCursor(cursor: string): ProblemError {
  return new ProblemError("BAD_REQUEST", `The cursor ${JSON.stringify(cursor)} is not one of this list.`, {
    nextStep: "Start again without a cursor.",
  });
}
