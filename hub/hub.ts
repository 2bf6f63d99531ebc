// The hub's parts, put together: what routes are built upon, and what tests take apart.
import { join } from "node:path";
import { pino, type Logger } from "pino";
import type { Artifacts, Buckets } from "./artifacts/artifacts.ts";
import { directoryArtifacts } from "./artifacts/directory.ts";
import { connectToS3, s3Artifacts } from "./artifacts/s3.ts";
import { trackChanges, type Changes } from "./changes.ts";
import { startConductor, type Conductor } from "./conductor.ts";
import type { HubConfig } from "./config.ts";
import { loadKeys, type HubKeys } from "./keys.ts";
import { trackPresence, type Presence } from "./presence.ts";
import { startPublisher, type Publisher } from "./publisher.ts";
import { openReportDesk, type ReportDesk } from "./reports.ts";
import { openSqlite } from "./store/sqlite.ts";
import { rememberTargets, type TargetMemory } from "./target-memory.ts";
import type { Store } from "./store/store.ts";

export interface Hub {
  config: HubConfig;
  keys: HubKeys;
  store: Store;
  artifacts: Artifacts;
  buckets: Buckets | undefined;
  changes: Changes;
  presence: Presence;
  publisher: Publisher;
  targets: TargetMemory;
  reports: ReportDesk;
  conductor: Conductor;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: Logger;
  close(): Promise<void>;
}

export async function openHub(config: HubConfig, now: () => number = Date.now): Promise<Hub> {
  const log = pino({ level: config.logLevel, base: null, redact: ["req.headers.authorization", "req.headers.cookie"] });
  const keys = loadKeys(config);
  const store = await openSqlite(join(config.dataDir, "hub.sqlite"));
  const limits = { maxBytes: config.maxArtifactBytes };
  const s3 = config.s3 && s3Artifacts(connectToS3(config.s3), config.s3, limits);
  const artifacts = s3 ?? directoryArtifacts(join(config.dataDir, "artifacts"), limits);
  const changes = trackChanges(store, now);
  const known = new Map((await store.devices.list()).map((device) => [device.id, device.last_seen]));
  const presence = trackPresence(known, { offlineAfterMs: config.offlineAfterMs, now, store });
  const publisher = startPublisher({
    store,
    key: keys.signing,
    policy: config.probePolicy,
    lifetimeMs: config.manifestLifetimeMs,
    now,
  });
  await publisher.refresh();
  const conductor = startConductor({
    store,
    changes,
    presence,
    publisher,
    gateSoakSeconds: config.gateSoakSeconds,
    now,
    log,
  });
  const reports = openReportDesk(changes, () => conductor.wake());
  return {
    config,
    keys,
    store,
    artifacts,
    buckets: s3,
    changes,
    presence,
    publisher,
    targets: await rememberTargets(store),
    reports,
    conductor,
    now,
    log,
    async close() {
      await conductor.stop();
      await store.close();
    },
  };
}
