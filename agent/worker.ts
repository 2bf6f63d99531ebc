// One model's state between cycles: the journal as last saved, the disk as last seen, and what is under way.
import type { InferenceStats, ModelName, ObservedModel } from "@context-edge/protocol";
import { observedModel } from "./core/observed.ts";
import { variantOf } from "./core/built.ts";
import { rebuildFromDisk, resume } from "./core/resume.ts";
import { wishOrWhatRuns } from "./core/stale.ts";
import { type Disk, Journal, EMPTY_JOURNAL, type Stage, type State } from "./core/state.ts";
import type { Transfer } from "./core/transfer-rate.ts";
import type { Performers } from "./core/steps.ts";
import { timestamp } from "./core/instant.ts";
import { openEngineRecords } from "./effects/builds/engine-records.ts";
import { buildAhead, type Stages } from "./effects/builds/stages.ts";
import { checkedFile } from "./effects/checked-file.ts";
import { prepareModelDirectory } from "./effects/model-directory.ts";
import { observeDisk } from "./effects/slots.ts";
import type { Tools } from "./ports.ts";
import { performers } from "./performers.ts";

export interface Worker {
  model: ModelName;
  perform: Performers;
  /** Reads the disk and the manifest anew. */
  observe(): Promise<State>;
  /** On disk when it returns; the state on disk and the one in memory never differ. */
  save(journal: Journal): Promise<void>;
  /** As last observed and saved. */
  latest(): State;
  progress(transfer: Transfer | null): void;
  building(stages: Stages | null): void;
  observed(stats: InferenceStats | null): ObservedModel;
  /** Counters of the running file, our own requests taken off. */
  stats(signal: AbortSignal): Promise<InferenceStats | null>;
}

export async function openWorker(tools: Tools): Promise<Worker> {
  const { directory, documents, log, model } = tools;
  await prepareModelDirectory(directory);
  const engines = await openEngineRecords(directory);
  const file = checkedFile(directory.journal, Journal);
  const loaded = await file.load();
  const known = loaded.is === "whole" ? loaded.value.published : {};
  // An engine says nothing of what it was built from: without its record it would be built once more.
  const published = { ...(await engines.missedBy(known)), ...known };
  let disk: Disk = await observeDisk(directory, published, tools.prints);
  let journal = EMPTY_JOURNAL;
  if (loaded.is === "whole") {
    if (loaded.copy === "previous") log.warn("the journal was damaged; its previous copy is used");
    journal = resume({ ...loaded.value, published }, documents.now());
  } else if (loaded.is === "unreadable") {
    log.warn("the journal and its copy were damaged; rebuilt from the disk");
    journal = rebuildFromDisk(disk, model, documents.now());
  }
  // Counted before anything is done, or a crash on the first step would never be counted.
  if (loaded.is !== "absent") await file.save(journal);
  const isSameModel = disk.current.is === "file" && journal.ownRequests?.digest === variantOf(disk.current);
  if (isSameModel) tools.probe.setOwnRequests(journal.ownRequests?.count ?? 0);
  let transfer: Transfer | null = null;
  let stages: Stages | null = null;
  const seen = (): State => ({
    model,
    journal,
    disk,
    wish: wishOrWhatRuns(tools.asked().wish, disk, tools.inventory),
    permit: tools.permit(),
    order: tools.order(),
    jitter: Math.random(),
    now: documents.now(),
  });

  return {
    model,
    perform: performers(tools, engines),
    async observe() {
      disk = await observeDisk(directory, journal.published, tools.prints);
      return seen();
    },
    async save(next) {
      await file.save(next);
      journal = next;
    },
    latest: seen,
    progress(now) {
      transfer = now;
    },
    building(now) {
      stages = now;
    },
    observed(stats) {
      const state = seen();
      return observedModel(state, { transfer, build: stages?.now() ?? buildAhead(state) }, stats);
    },
    async stats(signal) {
      const { current } = disk;
      if (current.is !== "file") return null;
      const counters = await tools.probe.counters(signal);
      if (!counters) return null;
      const predictions = Math.max(0, counters.predictions - tools.probe.ownRequests());
      // Our own questions cannot be taken out of an average; before the first foreign one there is none to tell.
      const avgMs = predictions === 0 ? null : counters.avgMs;
      return {
        since: timestamp(current.since),
        digest: variantOf(current),
        predictions,
        errors: counters.errors,
        avg_ms: avgMs === null ? null : Number(avgMs.toFixed(3)),
      };
    },
  };
}

/** Counters are only asked for between swaps: a service that is being reloaded has none, and must not be waited for. */
export async function quietStats(worker: Worker, signal: AbortSignal): Promise<InferenceStats | null> {
  return IS_QUIET[worker.latest().journal.transaction.stage] ? worker.stats(signal) : null;
}

/** Nothing is being switched: days may pass in some of these, and what runs goes on counting. */
const IS_QUIET: Record<Stage, boolean> = {
  resting: true,
  fetching: true,
  checking: false,
  queued: true,
  building: true,
  waiting: true,
  measuring: false,
  activating: false,
  examining: false,
  soaking: true,
  restoring: false,
  reviewing: false,
  concluding: false,
  blocked: false,
};
