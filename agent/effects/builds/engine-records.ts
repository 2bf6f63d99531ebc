// Which engines were built here, of what, and how long it took: written before an engine gets its name, so that none is without its papers.
import { z } from "zod";
import { isMadeOf } from "../../core/built.ts";
import { type BuildOrder, type Candidate, PublishedFile } from "../../core/candidate.ts";
import type { Journal } from "../../core/state.ts";
import { checkedFile } from "../checked-file.ts";
import type { ModelDirectory } from "../model-directory.ts";
import { findPublished } from "../publish.ts";

const EngineRecord = PublishedFile.required({ built: true });
export type EngineRecord = z.infer<typeof EngineRecord>;
/** Beyond this the oldest are forgotten; files of theirs that are still used are known to the journal. */
const KEPT = 16;

export interface EngineRecords {
  /** An engine of this candidate that fits here and whose bytes are what they were. @returns its name and what is known of it */
  find(candidate: Candidate, signal: AbortSignal): Promise<{ file: string; entry: EngineRecord } | null>;
  add(entry: EngineRecord): Promise<void>;
  /** The last build by this recipe on this TensorRT, of whatever file. */
  last(order: BuildOrder): EngineRecord | null;
  /** Engines that lie on the disk under their names and that the journal does not know, by file. */
  missedBy(known: Journal["published"]): Promise<Record<string, EngineRecord>>;
}

export const ENGINE_FORMAT = "engine";

export async function openEngineRecords(directory: ModelDirectory): Promise<EngineRecords> {
  const file = checkedFile(directory.engines, z.array(EngineRecord));
  const loaded = await file.load();
  let entries = loaded.is === "whole" ? loaded.value : [];
  const named = (entry: EngineRecord, signal: AbortSignal) => {
    const { digest, sizeBytes, version } = entry;
    return findPublished(
      directory,
      { ...entry.built.candidate, version, digest, sizeBytes, format: ENGINE_FORMAT },
      signal,
    );
  };
  return {
    async find(candidate, signal) {
      for (const entry of entries.toReversed()) {
        if (entry.version !== candidate.version || !isMadeOf(entry, candidate)) continue;
        const name = await named(entry, signal);
        if (name !== null) return { file: name, entry };
      }
      return null;
    },
    async add(entry) {
      const next = [...entries.filter(({ digest }) => digest !== entry.digest), entry].slice(-KEPT);
      await file.save(next);
      entries = next;
    },
    last: ({ recipeDigest, tensorrt, sm }) =>
      entries.findLast(({ built: { candidate } }) => {
        const { build } = candidate;
        return build.recipeDigest === recipeDigest && build.tensorrt === tensorrt && build.sm === sm;
      }) ?? null,
    async missedBy(known) {
      const digests = new Set(Object.values(known).map(({ digest }) => digest));
      const found: [string, EngineRecord][] = [];
      for (const entry of entries) {
        const name = digests.has(entry.digest) ? null : await named(entry, new AbortController().signal);
        if (name !== null) found.push([name, entry]);
      }
      return Object.fromEntries(found);
    },
  };
}
