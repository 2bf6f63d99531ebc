// The whole agent put together: what its models share, one worker per model, and what runs beside them.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DEFAULT_MODEL, type ModelName, type Observed, type Trouble } from "@context-edge/protocol";
import type { Logger } from "pino";
import { type Actions, actionsOn } from "./actions.ts";
import { builderOf, type Config } from "./config.ts";
import { SLACK_MS } from "./core/allowance.ts";
import { timestamp } from "./core/instant.ts";
import { foremostTrouble } from "./core/foremost-trouble.ts";
import { foremostPhase } from "./core/observed.ts";
import { fetchTrouble, type HoldBy, holdInForce, permitOf } from "./core/permit.ts";
import { phaseOf } from "./core/state.ts";
import { staleTrouble } from "./core/stale.ts";
import { troubleOf } from "./core/words.ts";
import { type Clock, deviceClock } from "./effects/clock.ts";
import { fingerprints } from "./effects/digest.ts";
import { openDocuments, type Documents } from "./effects/documents.ts";
import { downloadLine } from "./effects/download-line.ts";
import { checkModelsFilesystem } from "./effects/filesystem.ts";
import { type History, openHistory } from "./effects/history.ts";
import { http } from "./effects/http.ts";
import { hubClient } from "./effects/hub-client.ts";
import { openLocalOrders } from "./effects/local-orders.ts";
import { type Lock, takeLock } from "./effects/lock.ts";
import { modelDirectory } from "./effects/model-directory.ts";
import { openOutbox, type Outbox } from "./effects/outbox.ts";
import { openSession } from "./effects/session.ts";
import { countPublished } from "./effects/space.ts";
import { takeInventory } from "./effects/telemetry/inventory.ts";
import { openSampler } from "./effects/telemetry/sampler.ts";
import { throttled } from "./effects/throttled.ts";
import { loopOf, type Vitals, vitals as takeVitals } from "./effects/vitals.ts";
import { openWindows } from "./effects/windows.ts";
import { type Reporter, reporter } from "./reporter.ts";
import { type Shared, toolsFor, type Watchers } from "./tools.ts";
import { clockTrouble, expiredTrouble, type HubLink, type Watching } from "./watch.ts";
import type { Rings } from "./rings.ts";
import { openWorker, quietStats, type Worker } from "./worker.ts";

export interface Agent {
  config: Config;
  log: Logger;
  lock: Lock;
  clock: Clock;
  documents: Documents;
  history: History;
  outbox: Outbox;
  link: HubLink;
  reporter: Reporter;
  watching: Watching;
  actions: Actions;
  /** Opens workers for models the manifest names that have none yet. */
  workers(): Promise<readonly Worker[]>;
  opened(): readonly Worker[];
  /** The hold in force, by whomever. */
  hold(): HoldBy | null;
  /** The device as a whole; counters are read from the services. */
  observe(signal: AbortSignal): Promise<Observed>;
  /** Something moved: the hub and the page are told. */
  changed(): void;
  /** Whether every loop of the agent still moves. */
  vitals: Vitals;
}

export async function assemble(config: Config, log: Logger, rings: Rings): Promise<Agent> {
  const modelsDir = resolve(config.AGENT_MODELS_DIR);
  const own = join(modelsDir, ".agent");
  await mkdir(own, { recursive: true });
  await checkModelsFilesystem(modelsDir, { allowed: config.AGENT_ALLOW_FILESYSTEMS });
  const windows = await openWindows(config.AGENT_WINDOWS, config.AGENT_TIME_ZONE);
  const lock = await takeLock(own);
  const { AGENT_TENSORRT: tensorrt, AGENT_HOST_ROOT: root } = config;
  const inventory = await takeInventory({ tensorrt, root, builder: builderOf(config) });
  const web = http(process.env);
  const hub = hubClient(web, config.AGENT_HUB_URL);
  const device = config.AGENT_DEVICE_ID;
  const vitals = takeVitals();
  const clock = deviceClock(Date.now, () => performance.now());
  const documents = await openDocuments(join(own, "documents.json"), { device, hubKeys: config.hubKeys }, clock);
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
  const orders = await openLocalOrders(join(own, "orders.json"));
  const sampler = openSampler({
    modelsDir,
    everyMs: config.AGENT_TELEMETRY_MS,
    isJetson: inventory.sm !== undefined,
  });
  const open = new Map<ModelName, Worker>();
  const opening = new Map<ModelName, Promise<Worker>>();
  const link: HubLink = { state: "never", lastAnswerAt: null, trouble: null, refused: null };

  const hold = () => holdInForce(documents.assignment()?.hold ?? null, orders.hold(), clock.now());
  const shared: Shared = {
    config,
    modelsDir,
    log,
    web,
    inventory,
    documents,
    session,
    outbox,
    history,
    orders,
    prints: fingerprints(),
    permit: () => permitOf(hold(), windows, clock.now(), config.AGENT_BUILD_WHEN === "any-time"),
    line: downloadLine({
      environment: process.env,
      maxBytesPerS: config.AGENT_MAX_DOWNLOAD_RATE,
      minBytesPerS: config.AGENT_MIN_DOWNLOAD_RATE,
    }),
    space: {
      ownDir: own,
      reserveBytes: config.AGENT_DISK_RESERVE,
      budgetBytes: config.AGENT_DISK_BUDGET ?? null,
      published: () => countPublished([...open.keys()].map((model) => modelDirectory(modelsDir, model, ""))),
    },
  };

  /** Loop and reporter may both be first to ask; a directory is opened once. */
  const openOnce = (model: ModelName): Promise<Worker> => {
    const watchers: Watchers = {
      progress(now) {
        open.get(model)?.progress(now);
        // A long file over a bad link may take days, as long as it comes.
        if (now) vitals.expect(loopOf(model), "fetch", SLACK_MS);
        progressed();
      },
      building(now) {
        open.get(model)?.building(now);
        changed();
      },
    };
    const begun = opening.get(model) ?? openWorker(toolsFor(shared, model, watchers));
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

  const trouble = (): Trouble | null => {
    const latest = [...open.values()].map((one) => one.latest());
    return foremostTrouble({
      models: latest.map((state) => troubleOf(state.journal, state.disk) ?? staleTrouble(state)),
      refused: link.refused,
      fetching: latest.map(({ journal }) => fetchTrouble(journal)),
      others: [expiredTrouble(documents), clockTrouble(clock)],
    });
  };

  const observe = async (signal: AbortSignal): Promise<Observed> => {
    const models: Observed["models"] = {};
    // A report from before the disk was read would tell the hub that nothing is installed.
    for (const worker of await workers()) models[worker.model] = worker.observed(await quietStats(worker, signal));
    const held = hold();
    return {
      at: timestamp(clock.now()),
      phase: foremostPhase([...open.values()].map((one) => phaseOf(one.latest().journal.transaction))),
      inventory,
      models,
      hold: held && { until: held.until, reason: held.reason },
      telemetry: await sampler.latest(),
      trouble: trouble(),
      ...documents.followed(),
      status_url: config.AGENT_STATUS_URL ?? null,
    };
  };

  const told = reporter({
    device,
    hub,
    session,
    outbox,
    log,
    vitals,
    heartbeatMs: config.AGENT_HEARTBEAT_MS,
    jitter: Math.random,
    observe,
  });
  const changed = () => {
    told.changed();
    rings.moved();
  };
  const progressed = throttled(500, () => changed());
  const watching: Watching = {
    hub,
    session,
    documents,
    link,
    log,
    vitals,
    clock: () => clock.now(),
    jitter: Math.random,
    pollWaitSeconds: config.AGENT_POLL_WAIT_SECONDS,
    pollMinMs: config.AGENT_POLL_MIN_MS,
    pollMaxMs: Math.max(config.AGENT_POLL_MIN_MS, config.AGENT_POLL_MAX_MS),
    changed: rings.followed,
    nudge: { now: new AbortController() },
  };
  const actions = actionsOn({
    orders,
    now: () => clock.now(),
    worker: (model) => open.get(model),
    wake() {
      rings.wake();
      changed();
    },
    nudge: () => watching.nudge.now.abort(),
  });
  return {
    config,
    log,
    lock,
    clock,
    documents,
    history,
    outbox,
    link,
    reporter: told,
    watching,
    actions,
    workers,
    opened: () => [...open.values()],
    hold,
    changed,
    observe,
    vitals,
  };
}
