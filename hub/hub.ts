// The hub's parts, put together: what routes are built upon, and what tests take apart.
import { randomInt } from "node:crypto";
import type { Logger } from "pino";
import { openPeople, type People } from "./auth/accounts.ts";
import type { Artifacts, Buckets } from "./artifacts/artifacts.ts";
import { openArtifacts } from "./artifacts/open.ts";
import { trackChanges, type Changes } from "./changes.ts";
import { type Cluster, openCluster } from "./cluster/cluster.ts";
import { startConductor, type Conductor } from "./conductor.ts";
import type { HubConfig } from "./config.ts";
import { openEnding, type Ending } from "./drain.ts";
import { openFleetMemory, type FleetMemory } from "./fleet-memory.ts";
import type { Fleet } from "./fleet.ts";
import { rememberIdentities, type Identities } from "./identities.ts";
import { loadKeys, type HubKeys } from "./keys.ts";
import { type DatabaseFile, rememberDatabaseFile } from "./observe/database-file.ts";
import { logEvents } from "./observe/event-log.ts";
import { openLog } from "./observe/log.ts";
import { openMetrics, type Metrics } from "./observe/metrics.ts";
import { watchWrites, type Writes } from "./observe/writes.ts";
import { answerPolls, type Polls } from "./polls.ts";
import { trackPresence, type Presence } from "./presence.ts";
import { startPulse } from "./pulse.ts";
import { startPublisher, type Publisher } from "./publisher.ts";
import { type Janitor, startJanitor } from "./janitor.ts";
import { keepersOf } from "./keepers.ts";
import { rememberNewest } from "./newest.ts";
import { openReportDesk, type ReportDesk } from "./reports.ts";
import { joinReplicas, openPeers } from "./replicas.ts";
import { resealOutrun } from "./restored.ts";
import { openSeries, type SeriesBook } from "./series.ts";
import { sharePresence } from "./shared-presence.ts";
import { openStore, sqliteFileOf } from "./store/open.ts";
import { rememberTargets, type TargetMemory } from "./target-memory.ts";
import type { Store } from "./store/store.ts";
import { openWaitingRoom } from "./waiting-room.ts";
import { addressCheck } from "./webhooks/addresses.ts";
import { startCourier, type Courier } from "./webhooks/courier.ts";
import { postWith } from "./webhooks/post.ts";
import { wordOf } from "./word.ts";

export interface Hub {
  config: HubConfig;
  keys: HubKeys;
  store: Store;
  artifacts: Artifacts;
  buckets: Buckets | undefined;
  changes: Changes;
  people: People;
  presence: Presence;
  /** One snapshot of everything, the same for whoever asks in the same moment. */
  fleet(): Promise<Fleet>;
  memory: FleetMemory;
  identities: Identities;
  polls: Polls;
  publisher: Publisher;
  targets: TargetMemory;
  reports: ReportDesk;
  series: SeriesBook;
  janitor: Janitor;
  conductor: Conductor;
  courier: Courier;
  metrics: Metrics;
  writes: Writes;
  databaseFile: DatabaseFile;
  cluster: Cluster;
  ending: Ending;
  isLeader: () => boolean;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: Logger;
  close(): Promise<void>;
}

/** @param now milliseconds since the epoch; a test that turns it turns the clock that silences are counted by as well */
export async function openHub(config: HubConfig, now: () => number = Date.now): Promise<Hub> {
  const log = openLog(config.logLevel);
  const newest = rememberNewest();
  const writes = watchWrites(log);
  const store = newest.over(writes.over(await openStore(config)));
  const databaseFile = rememberDatabaseFile(config.databaseUrl === undefined ? sqliteFileOf(config) : undefined);
  const closing = async (error: unknown) => {
    await store.close();
    throw error;
  };
  const keys = await loadKeys(config, store).catch(closing);
  const { artifacts, buckets } = await openArtifacts(config, store).catch(closing);
  const changes = trackChanges(store, now, await store.events.lastId());
  const known = new Map((await store.devices.list()).map((device) => [device.id, device.last_seen]));
  const clocks = { now, uptime: now === Date.now ? () => performance.now() : now };
  const own = trackPresence(known, { offlineAfterMs: config.offlineAfterMs, ...clocks, store });
  const presence = sharePresence(own, { offlineAfterMs: config.offlineAfterMs, ...clocks });
  const ending = openEnding();
  const metrics = openMetrics();
  const room = openWaitingRoom();
  // Devices that wait for news come first: before whoever reads thousands of records, or counts them.
  const memory = await openFleetMemory(store, changes, presence, () => room.quiet());
  const fleet = async () => {
    await room.quiet();
    return memory.fleet();
  };
  const identities = rememberIdentities({ store, changes, memory });
  const peers = await openPeers(config);
  const publisher = startPublisher({
    store,
    fleet: () => memory.plans(),
    onSealed: (group) => changes.touch({ groups: new Set([group]) }),
    wakeGroup: (group) => room.wakeGroup(group),
    wakeDevice: (deviceId) => polls.wakeDevice(deviceId),
    keys: keys.signers,
    announce: (tx, group) => tx.signals.send(wordOf(changes.replica, { groups: new Set([group]) }, { orders: true })),
    policy: config.probePolicy,
    lifetimeMs: config.manifestLifetimeMs,
    now,
  });
  const polls = answerPolls({
    identities,
    presence,
    publisher,
    room,
    ending: ending.signal,
    count: (result, seconds) => metrics.poll(result, seconds),
    log,
  });
  await publisher.refresh();
  resealOutrun(changes, publisher);
  const targets = await rememberTargets(store);
  const conductor = startConductor({
    store,
    changes,
    publisher,
    fleet,
    quarantineAfter: config.quarantineAfter,
    targetsChanged: () => targets.refresh(),
    leader: peers.leader,
    now,
    log,
  });
  const isLeader = () => peers.leader.isLeader();
  logEvents({ changes, isLeader }, log);
  const courier = startCourier({
    store,
    fleet,
    changes,
    presence,
    post: postWith(addressCheck(config.webhooks)),
    isLeader,
    offlineAfterSeconds: config.webhooks.offlineAfterSeconds,
    publicUrl: config.publicUrl,
    now,
    random: Math.random,
    log,
  });
  const series = openSeries({ store, now, part: randomInt(1, 2 ** 31 - 1) });
  const reports = openReportDesk({
    changes,
    store,
    newest,
    heartbeatWriteMs: config.heartbeatWriteMs,
    now,
    afterBatch: () => conductor.wake(),
    onObserved: (device, before, after) => series.take(device, before, after),
  });
  const janitor = startJanitor({
    keepers: keepersOf({
      store,
      changes,
      presence,
      artifacts,
      leader: peers.leader,
      keep: config.keep,
      removed: (bytes) => metrics.removed(bytes),
    }),
    everywhere: [() => series.flush("complete"), () => reports.flush("silent")],
    isLeader,
    now,
    log,
  });
  const replicas = await joinReplicas({
    peers,
    store,
    changes,
    presence,
    publisher,
    targets,
    memory,
    wake: () => conductor.wake(),
    log,
  });
  const cluster = await openCluster({
    config: config.cluster,
    pilotGroup: config.pilotGroup,
    changes,
    publisher,
    wakeConductor: () => conductor.wake(),
    fleet,
    isLeader,
    now,
    log,
  });
  const pulse = startPulse({ presence, changes, log });
  return {
    config,
    keys,
    store,
    artifacts,
    buckets,
    changes,
    people: openPeople({ config, store, changes, now, log }),
    presence,
    fleet,
    memory,
    identities,
    polls,
    publisher,
    targets,
    reports,
    series,
    janitor,
    conductor,
    courier,
    metrics,
    writes,
    databaseFile,
    cluster,
    ending,
    isLeader,
    now,
    log,
    async close() {
      await cluster.stop();
      await courier.stop();
      await conductor.stop();
      await janitor.stop();
      await pulse.stop();
      await series.flush("all");
      await reports.flush("all");
      await replicas.close();
      room.close();
      await store.close();
    },
  };
}
