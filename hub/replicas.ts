// Several hubs as one: what another replica changed is told, published and acted upon here as if it had been changed here.
import type { Logger } from "pino";
import { type Changes, OUTCOME_KINDS } from "./changes.ts";
import type { HubConfig } from "./config.ts";
import type { FleetMemory } from "./fleet-memory.ts";
import { ALWAYS_LEADER, type Leader } from "./leader.ts";
import type { Publisher } from "./publisher.ts";
import { NO_RELAY, type Relay } from "./relay.ts";
import type { SharedPresence } from "./shared-presence.ts";
import { oneAtATime } from "./store/one-at-a-time.ts";
import type { Store } from "./store/store.ts";
import type { TargetMemory } from "./target-memory.ts";
import { everythingTouched } from "./touched.ts";
import { readWord, type Word, wordsOfSeen } from "./word.ts";

export interface Peers {
  relay: Relay;
  leader: Leader;
  /** How often the others are told whom this replica heard of; undefined where there are no others. */
  tellSeenEveryMs: number | undefined;
}

const LONGEST_SEEN_MS = 15_000;

export async function openPeers({ databaseUrl, offlineAfterMs }: HubConfig): Promise<Peers> {
  if (databaseUrl === undefined) return { relay: NO_RELAY, leader: ALWAYS_LEADER, tellSeenEveryMs: undefined };
  const { postgresRelay } = await import("./store/postgres-relay.ts");
  const { postgresLeader } = await import("./store/postgres-leader.ts");
  return {
    relay: postgresRelay(databaseUrl),
    leader: await postgresLeader(databaseUrl),
    // Three times before the silence counts, so that one lost word does not take a device offline.
    tellSeenEveryMs: Math.min(LONGEST_SEEN_MS, offlineAfterMs / 3),
  };
}

interface Parts {
  peers: Peers;
  store: Store;
  changes: Changes;
  presence: SharedPresence;
  publisher: Pick<Publisher, "refresh" | "wakeDevice">;
  targets: Pick<TargetMemory, "refresh">;
  memory: Pick<FleetMemory, "reload">;
  /** The conductor has something to look at. */
  wake: () => void;
  log: Pick<Logger, "warn">;
}

export async function joinReplicas(parts: Parts): Promise<{ close(): Promise<void> }> {
  const { peers, store, changes, presence, publisher, targets, memory, wake, log } = parts;
  const inTurn = oneAtATime();
  let isRefreshDue = false;

  /** However many words ask for it while one waits its turn, it is done once. */
  const refresh = () => {
    if (isRefreshDue) return;
    isRefreshDue = true;
    act(async () => {
      isRefreshDue = false;
      await targets.refresh();
      await publisher.refresh();
    });
  };
  const act = (work: () => Promise<void>) => {
    inTurn(work).catch((error: unknown) => {
      // What fails is the database; when its connection comes back, everything is looked at.
      log.warn({ err: error }, "word of another hub could not be followed");
    });
  };

  const follow = (word: Pick<Word, "through" | "orders" | "everything">, touched: Word | undefined) =>
    act(async () => {
      const events = await changes.follow(
        touched
          ? {
              devices: new Set(touched.devices),
              groups: new Set(touched.groups),
              members: new Set(touched.members),
              deployments: new Set(touched.deployments),
              versions: new Set(touched.versions),
            }
          : await everythingTouched(store),
        word.through,
      );
      if (word.orders) refresh();
      for (const { kind, subject } of events) {
        // Moved, held, enrolled anew: its assignment is another, whatever its group's manifest says.
        if (kind.startsWith("device.") && !OUTCOME_KINDS.has(kind)) publisher.wakeDevice(subject);
      }
      wake();
    });
  const lookAtEverything = () => {
    memory.reload();
    follow({ through: Infinity, orders: true, everything: true }, undefined);
  };

  await peers.relay.listen({
    onWord(payload) {
      const word = readWord(payload);
      if (word === null) return lookAtEverything();
      if (word.from === changes.replica) return;
      if (word.seen.length > 0) return presence.heardElsewhere(word.seen);
      follow(word, word.everything ? undefined : word);
    },
    onGap: lookAtEverything,
  });

  const tellSeen = async () => {
    for (const word of wordsOfSeen(changes.replica, presence.takeSeen())) await store.signals.send(word);
  };
  const timer =
    peers.tellSeenEveryMs === undefined
      ? undefined
      : setInterval(() => {
          tellSeen().catch((error: unknown) =>
            log.warn({ err: error }, "the other hubs could not be told who is here"),
          );
        }, peers.tellSeenEveryMs);
  return {
    async close() {
      clearInterval(timer);
      await peers.leader.close();
      await peers.relay.close();
    },
  };
}
