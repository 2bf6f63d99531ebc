// The whole agent put together: tools made from the settings, one worker per model, and what runs beside them.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  DEFAULT_MODEL,
  type InferenceStats,
  type ModelName,
  type Observed,
  type Trouble,
} from "@context-edge/protocol";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { timestamp } from "./core/instant.ts";
import { foremostPhase } from "./core/observed.ts";
import { phaseOf } from "./core/state.ts";
import { type Asked, wishOf } from "./core/wish.ts";
import { troubleOf } from "./core/words.ts";
import { fingerprints } from "./effects/digest.ts";
import { openDocuments, type Documents } from "./effects/documents.ts";
import { type History, openHistory } from "./effects/history.ts";
import { http } from "./effects/http.ts";
import { hubClient } from "./effects/hub-client.ts";
import { type Lock, takeLock } from "./effects/lock.ts";
import { modelDirectory } from "./effects/model-directory.ts";
import { openOutbox, type Outbox } from "./effects/outbox.ts";
import { makeProbe } from "./effects/probes/make-probe.ts";
import { makeReloader } from "./effects/reloaders/make-reloader.ts";
import { openSession } from "./effects/session.ts";
import { takeInventory } from "./effects/telemetry/inventory.ts";
import { type Reporter, reporter } from "./reporter.ts";
import { expiredTrouble, type HubLink, type Watching } from "./watch.ts";
import { openWorker, type Worker } from "./worker.ts";

export interface Agent {
  config: Config;
  log: Logger;
  lock: Lock;
  documents: Documents;
  history: History;
  outbox: Outbox;
  link: HubLink;
  reporter: Reporter;
  watching: Watching;
  /** Opens workers for models the manifest names that have none yet. */
  workers(): Promise<readonly Worker[]>;
  opened(): readonly Worker[];
  /** The device as a whole; counters are read from the services. */
  observe(signal: AbortSignal): Promise<Observed>;
  /** Something moved: the hub and the page are told. */
  changed(): void;
}

/**
 * @param followed a document of the hub was accepted
 * @param moved something a reader of the status page would want to see changed
 */
export async function assemble(config: Config, log: Logger, followed: () => void, moved: () => void): Promise<Agent> {
  const modelsDir = resolve(config.AGENT_MODELS_DIR);
  const own = join(modelsDir, ".agent");
  await mkdir(own, { recursive: true });
  const lock = await takeLock(own);
  const inventory = await takeInventory();
  const web = http(process.env);
  const hub = hubClient(web, config.AGENT_HUB_URL);
  const device = config.AGENT_DEVICE_ID;
  const documents = await openDocuments(join(own, "documents.json"), { device, hubKeys: config.hubKeys }, () =>
    Date.now(),
  );
  const session = await openSession(join(own, "identity.json"), {
    hub,
    hubUrl: config.AGENT_HUB_URL,
    device,
    joinTokenFile: config.AGENT_JOIN_TOKEN_FILE,
    group: config.AGENT_GROUP,
    inventory,
  });
  const outbox = await openOutbox(join(own, "outbox.json"));
  const history = await openHistory(join(own, "history.json"));
  const prints = fingerprints();
  const open = new Map<ModelName, Worker>();
  const opening = new Map<ModelName, Promise<Worker>>();
  const link: HubLink = { state: "never", lastAnswerAt: null, trouble: null, refused: null };

  const askedFor = (model: ModelName) => (): Asked =>
    wishOf({
      manifest: documents.manifest(),
      model,
      device,
      inventory,
      releaseKeys: config.releaseKeys,
      now: documents.now(),
    });

  const openModel = (model: ModelName): Promise<Worker> => {
    const servedName = model === DEFAULT_MODEL ? config.AGENT_INFERENCE_MODEL : model;
    return openWorker({
      model,
      directory: modelDirectory(modelsDir, model, config.AGENT_LINK_NAME),
      prints,
      probe: makeProbe(config, web, servedName),
      reloader: makeReloader(config, web, servedName),
      documents,
      outbox,
      history,
      session,
      client: web.client,
      hubUrl: config.AGENT_HUB_URL,
      artifactOrigins: config.AGENT_ARTIFACT_ORIGINS,
      releaseKeys: config.releaseKeys,
      inventory,
      log,
      asked: askedFor(model),
      progress(bytes) {
        open.get(model)?.progress(bytes);
        progressed();
      },
    });
  };

  /** Loop and reporter may both be first to ask; a directory is opened once. */
  const openOnce = (model: ModelName): Promise<Worker> => {
    const begun = opening.get(model) ?? openModel(model);
    opening.set(model, begun);
    begun.catch(() => opening.delete(model));
    return begun;
  };

  const workers = async () => {
    const named = documents.manifest()?.models.map((target) => target.model) ?? [];
    for (const model of new Set([DEFAULT_MODEL, ...named])) {
      open.set(model, await openOnce(model));
    }
    return [...open.values()];
  };

  /** What is wrong, the gravest first. */
  const trouble = (): Trouble | null => {
    const ofModels = [...open.values()].map((one) => troubleOf(one.latest().journal, one.latest().disk));
    return ofModels.find((one) => one !== null) ?? link.refused ?? expiredTrouble(documents);
  };

  const observe = async (signal: AbortSignal): Promise<Observed> => {
    const models: Observed["models"] = {};
    // A report from before the disk was read would tell the hub that nothing is installed.
    for (const worker of await workers()) models[worker.model] = worker.observed(await quietStats(worker, signal));
    return {
      at: timestamp(documents.now()),
      phase: foremostPhase([...open.values()].map((one) => phaseOf(one.latest().journal.transaction))),
      inventory,
      models,
      hold: null,
      trouble: trouble(),
      manifest_sequence: documents.manifest()?.sequence ?? null,
      status_url: config.AGENT_STATUS_URL ?? null,
    };
  };

  const told = reporter({
    device,
    hub,
    session,
    outbox,
    log,
    heartbeatMs: config.AGENT_HEARTBEAT_MS,
    jitter: Math.random,
    observe,
  });
  const changed = () => {
    told.changed();
    moved();
  };
  const progressed = throttled(500, () => changed());
  const watching: Watching = {
    hub,
    session,
    documents,
    link,
    log,
    clock: () => documents.now(),
    jitter: Math.random,
    pollWaitSeconds: config.AGENT_POLL_WAIT_SECONDS,
    pollMinMs: config.AGENT_POLL_MIN_MS,
    pollMaxMs: Math.max(config.AGENT_POLL_MIN_MS, config.AGENT_POLL_MAX_MS),
    changed: followed,
  };
  return {
    config,
    log,
    lock,
    documents,
    history,
    outbox,
    link,
    reporter: told,
    watching,
    workers,
    opened: () => [...open.values()],
    changed,
    observe,
  };
}

/** Counters are only asked for between swaps: a service that is being reloaded has none, and must not be waited for. */
async function quietStats(worker: Worker, signal: AbortSignal): Promise<InferenceStats | null> {
  const phase = phaseOf(worker.latest().journal.transaction);
  return phase === "idle" || phase === "soaking" || phase === "downloading" ? worker.stats(signal) : null;
}

function throttled(everyMs: number, act: () => void): () => void {
  let last = -Infinity;
  return () => {
    const now = performance.now();
    if (now - last < everyMs) return;
    last = now;
    act();
  };
}
