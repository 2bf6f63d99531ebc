// One model's state between cycles: the journal as last saved, the disk as last seen, and what is under way.
import type { InferenceStats, ModelName, ObservedModel } from "@context-edge/protocol";
import { observedModel } from "./core/observed.ts";
import { rebuildFromDisk, resume } from "./core/resume.ts";
import { type Disk, Journal, EMPTY_JOURNAL, phaseOf, type State } from "./core/state.ts";
import type { Transfer } from "./core/transfer-rate.ts";
import type { Performers } from "./core/steps.ts";
import { timestamp } from "./core/instant.ts";
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
  observed(stats: InferenceStats | null): ObservedModel;
  /** Counters of the running file, our own requests taken off. */
  stats(signal: AbortSignal): Promise<InferenceStats | null>;
}

export async function openWorker(tools: Tools): Promise<Worker> {
  const { directory, documents, log, model } = tools;
  await prepareModelDirectory(directory);
  const file = checkedFile(directory.journal, Journal);
  const loaded = await file.load();
  let disk: Disk = await observeDisk(directory, loaded.is === "whole" ? loaded.value.published : {}, tools.prints);
  let journal = EMPTY_JOURNAL;
  if (loaded.is === "whole") {
    if (loaded.copy === "previous") log.warn("the journal was damaged; its previous copy is used");
    journal = resume(loaded.value, documents.now());
  } else if (loaded.is === "unreadable") {
    log.warn("the journal and its copy were damaged; rebuilt from the disk");
    journal = rebuildFromDisk(disk, model, documents.now());
  }
  // Counted before anything is done, or a crash on the first step would never be counted.
  if (loaded.is !== "absent") await file.save(journal);
  const isSameModel = disk.current.is === "file" && journal.ownRequests?.digest === disk.current.digest;
  if (isSameModel) tools.probe.setOwnRequests(journal.ownRequests?.count ?? 0);
  let transfer: Transfer | null = null;
  const seen = (): State => ({
    model,
    journal,
    disk,
    wish: tools.asked().wish,
    permit: tools.permit(),
    order: tools.order(),
    jitter: Math.random(),
    now: documents.now(),
  });

  return {
    model,
    perform: performers(tools),
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
    observed: (stats) => observedModel(seen(), transfer, stats),
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
        digest: current.digest,
        predictions,
        errors: counters.errors,
        avg_ms: avgMs === null ? null : Number(avgMs.toFixed(3)),
      };
    },
  };
}

/** Counters are only asked for between swaps: a service that is being reloaded has none, and must not be waited for. */
export async function quietStats(worker: Worker, signal: AbortSignal): Promise<InferenceStats | null> {
  const phase = phaseOf(worker.latest().journal.transaction);
  return phase === "idle" || phase === "soaking" || phase === "downloading" ? worker.stats(signal) : null;
}
