// What one replica tells the others: which things a change touched and how far the history goes, small enough for a NOTIFY.
import { z } from "zod";
import { nothingTouched, type Touched } from "./touched.ts";

/** NOTIFY takes less than 8000 bytes. */
const MAX_BYTES = 7_000;

const Ids = z.array(z.string()).default([]);
const Word = z.object({
  /** Which replica speaks: everybody hears everything, itself included. */
  from: z.string(),
  /** The newest event of the change. */
  through: z.number().int().default(0),
  /** Something that manifests are made of may have changed. */
  orders: z.boolean().default(false),
  devices: Ids,
  groups: Ids,
  members: Ids,
  deployments: Ids,
  versions: Ids,
  /** More was touched than fits: look at everything. */
  everything: z.boolean().default(false),
  /** Devices this replica heard of lately. */
  seen: Ids,
});
export type Word = z.infer<typeof Word>;

export function wordOf(from: string, touched: Partial<Touched>, more: { through?: number; orders?: boolean }): string {
  const sets = Object.entries({ ...nothingTouched(), ...touched });
  const ids = Object.fromEntries(sets.map(([kind, set]) => [kind, [...set]]));
  const text = JSON.stringify({ from, ...more, ...ids });
  return Buffer.byteLength(text) <= MAX_BYTES ? text : JSON.stringify({ from, ...more, everything: true });
}

/** As many words as it takes: presence is no reason to look at everything. */
export function wordsOfSeen(from: string, ids: readonly string[]): string[] {
  const words: string[] = [];
  let part: string[] = [];
  let bytes = 0;
  const close = () => {
    if (part.length > 0) words.push(JSON.stringify({ from, seen: part }));
    part = [];
    bytes = 0;
  };
  for (const id of ids) {
    const size = Buffer.byteLength(JSON.stringify(id)) + 1;
    if (bytes + size > MAX_BYTES - 200) close();
    part.push(id);
    bytes += size;
  }
  close();
  return words;
}

/** @returns null for what is not a word of this hub's release: then everything is looked at. */
export function readWord(payload: string): Word | null {
  try {
    return Word.parse(JSON.parse(payload));
  } catch {
    return null;
  }
}
