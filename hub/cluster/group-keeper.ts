// Keeps groups and labels of nodes in agreement, whoever decides: looks at every node again when something changed, and acts on the leading hub only.
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { type ClusterProblem, GROUP_LABEL, type NodeTrouble } from "@context-edge/protocol";
import type { Changes } from "../changes.ts";
import { groupOfLabel, type LabelStep, labelStep } from "../core/cluster-groups.ts";
import type { NodeFacts } from "../core/cluster.ts";
import type { Refusal } from "../core/cluster-refusals.ts";
import { type Pace, pauseAfterMs } from "../core/pace.ts";
import { DEFAULT_GROUP } from "../devices.ts";
import type { Fleet } from "../fleet.ts";
import type { DeviceRecord, GroupRecord } from "../store/records.ts";
import type { ClusterApi } from "./api.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { GroupMover } from "./group-mover.ts";
import type { Sight } from "./sight.ts";

export interface GroupKeeper {
  /** What is wrong about the label of this device's node. */
  troubleOf(device: DeviceRecord, node: NodeFacts, fleet: Fleet): NodeTrouble | null;
  /** Why labels are not written, on the hub that leads. */
  problem(): ClusterProblem | null;
  stop(): Promise<void>;
}

export interface KeeperPorts {
  sight: Sight;
  api: Pick<ClusterApi, "labelNode">;
  mover: GroupMover;
  changes: Pick<Changes, "listen" | "make">;
  fleet: () => Promise<Fleet>;
  isLeader: () => boolean;
  config: Pick<ClusterConfig, "groupsDecidedBy">;
  pilotGroup: string;
  now: () => number;
  random: () => number;
  log: Pick<Logger, "error" | "info" | "warn">;
  pace?: Pace;
}

/** Who leads changes without a word, and what failed is tried again. */
const LOOK_MS = 15_000;
/** A label that differs for longer than this is told of: a write is on its way until then. */
const PATIENCE_MS = 30_000;
/** After so long in agreement, a label that differs again is news, and no quarrel with somebody else who writes it. */
const PEACE_MS = 600_000;
/** What fails for one node may work for the next; these would not. */
const FOR_ALL: ReadonlySet<Refusal["code"]> = new Set([
  "CLUSTER_DENIED",
  "CLUSTER_UNREACHABLE",
  "CLUSTER_CREDENTIALS_REFUSED",
]);

interface Tries {
  count: number;
  lastMs: number;
}

export function keepGroups(ports: KeeperPorts): GroupKeeper {
  const { sight, api, mover, changes, fleet, isLeader, config, pilotGroup, now, random, log, pace } = ports;
  const ended = new AbortController();
  const tries = new Map<string, Tries>();
  const differsSinceMs = new Map<string, number>();
  let problem: ClusterProblem | null = null;
  let failures = 0;
  let wakeUp = new AbortController();
  const wake = () => wakeUp.abort();

  const stepFor = (device: DeviceRecord, node: NodeFacts, groups: readonly GroupRecord[]): LabelStep =>
    labelStep({
      device,
      node: node.name,
      label: node.labels[GROUP_LABEL] ?? null,
      decidedBy: config.groupsDecidedBy,
      pilotGroup,
      defaultGroup: DEFAULT_GROUP,
      hasGroup: (name) => groups.some((group) => group.name === name),
    });

  /** Noted on every hub, for whoever asks this one. @returns whether it may be tried now */
  const isDue = (name: string, step: LabelStep): boolean => {
    const nowMs = performance.now();
    const before = tries.get(name);
    if (step.do === "nothing" || step.do === "complain") {
      differsSinceMs.delete(name);
      if (before && nowMs - before.lastMs > PEACE_MS) tries.delete(name);
      return false;
    }
    if (!differsSinceMs.has(name)) differsSinceMs.set(name, nowMs);
    return before === undefined || nowMs >= before.lastMs + pauseAfterMs(before.count, 1, pace);
  };

  const write = async (device: DeviceRecord, node: NodeFacts, group: string): Promise<Refusal | null> => {
    const label = node.labels[GROUP_LABEL] ?? null;
    // Nobody could read the label when it enrolled: it counts now, before it is written over.
    if (device.group_name === DEFAULT_GROUP && groupOfLabel(label) !== null && (await mover.adopt(device.id, label)))
      return null;
    const written = await api.labelNode(node.name, group);
    if (!written.ok) return written.refusal === "gone" ? null : written.refusal;
    await changes.make("cluster", async ({ tell }) => {
      const was = label === null ? "" : `; it said ${label}`;
      await tell("node.labelled", node.name, `The label of ${node.name} says group ${group} now${was}`, {
        from: label,
        to: group,
      });
    });
    return null;
  };

  /** @returns why the cluster did not let it be done */
  const act = async (device: DeviceRecord, node: NodeFacts, step: LabelStep): Promise<Refusal | null> => {
    tries.set(node.name, { count: (tries.get(node.name)?.count ?? 0) + 1, lastMs: performance.now() });
    try {
      if (step.do === "write") return await write(device, node, step.group);
      await mover.follow(device.id, (fresh, groups) => stepFor(fresh, node, groups));
    } catch (error) {
      // One device that cannot be moved must not keep the others waiting.
      log.error({ err: error }, `the group and the label of ${node.name} could not be brought together; tried again`);
    }
    return null;
  };

  const complain = (refusal: Refusal) => {
    failures += 1;
    if (problem?.message === refusal.message) return;
    problem = { ...refusal, since: new Date(now()).toISOString() };
    log.warn({ code: refusal.code }, `Labels of nodes are not written. ${refusal.message}. ${refusal.next_step}`);
  };

  /** Only what is seen now is acted upon: an old label must move nobody. @returns whether something is left to do */
  const look = async (): Promise<boolean> => {
    const nodes = sight.nodes();
    if (nodes === null || sight.problem("nodes") !== null) return false;
    const fleetNow = await fleet();
    let isLeft = false;
    let isRefused = false;
    for (const node of nodes.values()) {
      const device = fleetNow.device(node.name);
      const step: LabelStep = device ? stepFor(device, node, fleetNow.groups) : { do: "nothing" };
      const isTurn = isDue(node.name, step);
      isLeft ||= differsSinceMs.has(node.name);
      if (!device || !isTurn || !isLeader() || ended.signal.aborted) continue;
      const refusal = await act(device, node, step);
      if (refusal) complain(refusal);
      isRefused ||= refusal !== null;
      if (refusal && FOR_ALL.has(refusal.code)) return true;
    }
    for (const name of differsSinceMs.keys()) if (!nodes.has(name)) differsSinceMs.delete(name);
    if (!isRefused) failures = 0;
    if (!isLeft || !isLeader()) problem = null;
    return isLeft;
  };

  sight.listen(wake);
  const leave = changes.listen((notice) => {
    if (notice.kind === "touched" && notice.touched.devices.size + notice.touched.groups.size > 0) wake();
  });
  const loop = (async () => {
    while (!ended.signal.aborted) {
      wakeUp = new AbortController();
      let isLeft = false;
      try {
        isLeft = await look();
      } catch (error) {
        log.error({ err: error }, "groups and labels of nodes could not be compared; tried again");
        failures += 1;
      }
      // A denied patch is not tried again because some node's status changed.
      const waitMs = pauseAfterMs(failures, random(), pace);
      if (waitMs > 0) await pause(waitMs, undefined, { signal: ended.signal }).catch(() => undefined);
      const retryMs = isLeft ? (pace?.firstMs ?? 1_000) : LOOK_MS;
      const signal = AbortSignal.any([ended.signal, wakeUp.signal]);
      await pause(retryMs, undefined, { signal }).catch(() => undefined);
    }
  })();

  return {
    troubleOf(device, node, { groups }) {
      const step = stepFor(device, node, groups);
      if (step.do === "complain") return step.trouble;
      const sinceMs = differsSinceMs.get(node.name);
      const isLate = sinceMs !== undefined && performance.now() - sinceMs > PATIENCE_MS;
      return step.do === "write" && (isLate || problem !== null) ? notWritten(node, step.group) : null;
    },
    problem: () => problem,
    async stop() {
      ended.abort();
      leave();
      await loop;
    },
  };
}

const notWritten = ({ name, labels }: NodeFacts, group: string): NodeTrouble => ({
  code: "LABEL_NOT_WRITTEN",
  message: `The label of ${name} says ${labels[GROUP_LABEL] ?? "nothing"}, and its device belongs to group ${group}`,
  next_step:
    'The hub that leads writes it, and tries again: it needs the verb "patch" on nodes, and nobody else may write this label.',
});
