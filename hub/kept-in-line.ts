// Something in memory that follows the store: word of changes is gathered, and what they touched is read when somebody looks.
import { nothingTouched, type Touched } from "./touched.ts";

export interface Unread extends Touched {
  everything: boolean;
}

export interface KeptInLine {
  hear(touched: Touched): void;
  /** Everything is read again at the next look. */
  reload(): void;
  /** Resolves when all that was heard before the call has been read. Failing, nothing is forgotten: the next look tries again. */
  upToDate(): Promise<void>;
}

const KINDS = ["devices", "groups", "deployments", "versions"] as const;
type Kind = (typeof KINDS)[number];

const nothing = (): Unread => ({ ...nothingTouched(), everything: false });

/** @param kinds the ones this reads; others it does not hear of. */
export function keepInLine(kinds: readonly Kind[], read: (unread: Unread) => Promise<void>): KeptInLine {
  let unread = nothing();
  /** Counts what was heard; all up to `known` has been read. */
  let heard = 0;
  let known = 0;
  let round: Promise<void> | undefined;

  const catchUp = async () => {
    const taken = unread;
    const through = heard;
    unread = nothing();
    try {
      await read(taken);
      known = through;
    } catch (error) {
      for (const kind of kinds) for (const id of taken[kind]) unread[kind].add(id);
      unread.everything ||= taken.everything;
      throw error;
    } finally {
      round = undefined;
    }
  };

  const isReadThrough = (wanted: number) => () => known >= wanted;

  return {
    hear(touched) {
      for (const kind of kinds) {
        if (touched[kind].size === 0) continue;
        for (const id of touched[kind]) unread[kind].add(id);
        heard += 1;
      }
    },
    reload() {
      unread.everything = true;
      heard += 1;
    },
    async upToDate() {
      // What is being read now may have been taken up before the caller's change: then one more round.
      const isDone = isReadThrough(heard);
      while (!isDone()) await (round ??= catchUp());
    },
  };
}
