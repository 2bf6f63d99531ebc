// Figures over time: each report adds to blocks in memory, whole blocks go to the store, and a reader sees both as one.
import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { Observed, Resolution, SeriesKind } from "@context-edge/protocol";
import { type Cell, samplesOf } from "./core/series.ts";
import { addInto, blockMs, type Cells, floorTo, pack, STEPS, unpack } from "./core/series-pack.ts";
import type { SeriesBlock } from "./store/series.ts";
import type { Store } from "./store/store.ts";

export interface SeriesQuestion {
  kind: SeriesKind;
  resolution: Resolution;
  fromMs: number;
  toMs: number;
  subjects: readonly string[];
  model?: string | undefined;
  version?: string | undefined;
}

export interface SeriesBook {
  /** Never waits: a report's receipt does not depend on it. */
  take(device: { id: string; group: string }, before: Observed | null, after: Observed): void;
  /** Writes blocks that are over, or also the one that is being filled. */
  flush(which: "complete" | "all"): Promise<void>;
  /** Cells of the resolution by their start, everything of the subjects added up. */
  read(question: SeriesQuestion): Promise<Cells>;
}

export const ofDevice = (id: string) => `d/${id}`;
export const ofGroup = (name: string) => `g/${name}`;

interface Gathered {
  subject: string;
  kind: SeriesKind;
  model: string;
  version: string;
  cells: Cells;
}

const MINUTE_MS = STEPS.minute.stepMs;
const BLOCK_MS = blockMs("minute");
const DAY_MS = STEPS.day.stepMs;
const ROWS_AT_ONCE = 300;
/** Read at once: the answer of one statement is made without a pause. */
const BLOCKS_PER_READ = 12;

/** @param part of this process, unlike that of any other: what two hubs, or two lives of one, count in the same minute adds up. */
export function openSeries({ store, now, part }: { store: Store; now: () => number; part: number }): SeriesBook {
  const filling = new Map<number, Map<string, Gathered>>();

  const add = (subject: string, kind: SeriesKind, model: string, version: string, atMs: number, cell: Cell) => {
    const start = floorTo(BLOCK_MS, atMs);
    const block = filling.get(start) ?? new Map<string, Gathered>();
    filling.set(start, block);
    const key = [subject, kind, model, version].join(" ");
    const gathered = block.get(key) ?? { subject, kind, model, version, cells: new Map() };
    block.set(key, gathered);
    addInto(kind, gathered.cells, floorTo(MINUTE_MS, atMs), cell);
  };

  return {
    take({ id, group }, before, after) {
      // The hub's clock: a device's own may be years off.
      const atMs = now();
      for (const { kind, model, version, cell } of samplesOf(before, after)) {
        for (const subject of [ofDevice(id), ofGroup(group)]) add(subject, kind, model, version, atMs, cell);
      }
    },

    async flush(which) {
      const over = [...filling.keys()].filter((start) => which === "all" || start + BLOCK_MS <= now());
      for (const atMs of over.toSorted((a, b) => a - b)) {
        const gathered = [...(filling.get(atMs)?.values() ?? [])].toSorted((a, b) => (a.subject < b.subject ? -1 : 1));
        for (let start = 0; start < gathered.length; start += ROWS_AT_ONCE) {
          const rows = gathered.slice(start, start + ROWS_AT_ONCE).map(({ cells, ...key }): SeriesBlock => ({
            ...key,
            resolution: "minute",
            atMs,
            part,
            cells: pack(key.kind, cells, atMs, MINUTE_MS),
          }));
          await store.series.put(rows);
          await yieldToOthers();
        }
        // Only now: a write that failed is tried again, and replaces what it had written.
        if (atMs + BLOCK_MS <= now()) filling.delete(atMs);
      }
    },

    async read({ kind, resolution, toMs, subjects, model, version, ...range }) {
      const { stepMs } = STEPS[resolution];
      const fromMs = floorTo(stepMs, range.fromMs);
      const all: Cells = new Map();
      const addAll = (cells: ReadonlyMap<number, Cell>) => {
        for (const [atMs, cell] of cells) {
          if (atMs >= fromMs && atMs < toMs) addInto(kind, all, floorTo(stepMs, atMs), cell);
        }
      };
      const wanted = new Set(subjects);
      const inMemory = new Set(filling.keys());
      for (const block of filling.values()) {
        for (const one of block.values()) {
          const isOther =
            one.kind !== kind ||
            !wanted.has(one.subject) ||
            (model !== undefined && one.model !== model) ||
            (version !== undefined && one.version !== version);
          if (!isOther) addAll(one.cells);
        }
      }
      const filter = {
        kind,
        subjects,
        ...(model === undefined ? {} : { model }),
        ...(version === undefined ? {} : { version }),
      };
      const readBlocks = async (of: Resolution, startMs: number, endMs: number) => {
        const starts = blockStarts(of, startMs, endMs);
        for (let start = 0; start < starts.length; start += BLOCKS_PER_READ) {
          const atMs = starts.slice(start, start + BLOCKS_PER_READ);
          for (const block of await store.series.read({ ...filter, resolution: of, atMs })) {
            if (of === "minute" && block.part === part && inMemory.has(block.atMs)) continue;
            const cells = unpack(kind, block.cells, block.atMs, STEPS[of].stepMs);
            // Of a rolled-up month only what this range asks for; the rest of it is not younger than the watermark.
            addAll(new Map([...cells].filter(([atCell]) => atCell >= startMs && atCell < endMs)));
          }
          await yieldToOthers();
        }
      };
      const rolledUpTo = resolution === "minute" ? fromMs : ((await store.series.rolledUpTo()) ?? -Infinity);
      const borderMs = Math.min(toMs, Math.max(fromMs, rolledUpTo));
      if (resolution !== "minute") await readBlocks(resolution, fromMs, borderMs);
      // Nothing younger than the minutes' retention: a hub that was off for long has no blocks to find there.
      const oldest = await store.series.oldest("minute");
      if (oldest !== null) await readBlocks("minute", Math.max(borderMs, floorTo(DAY_MS, oldest)), toMs);
      return all;
    },
  };
}

function blockStarts(resolution: Resolution, fromMs: number, toMs: number): number[] {
  const span = blockMs(resolution);
  const starts: number[] = [];
  for (let at = floorTo(span, fromMs); at < toMs; at += span) starts.push(at);
  return starts;
}
