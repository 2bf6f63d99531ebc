// The cluster as the rest of the hub knows it: what a node's label says, and one view of nodes, agents, devices and what is wrong.
import type { Logger } from "pino";
import {
  type ClusterNode,
  type ClusterProblem,
  type ClusterView,
  GROUP_LABEL,
  type GroupsDecidedBy,
} from "@context-edge/protocol";
import type { Changes } from "../changes.ts";
import { agentOn, clusterNode, isDeviceNode, type PodFacts } from "../core/cluster.ts";
import { homeOf } from "../core/cluster-groups.ts";
import type { Fleet } from "../fleet.ts";
import type { Publisher } from "../publisher.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { GroupKeeper } from "./group-keeper.ts";
import type { Sight } from "./sight.ts";

/** `unread`: there may be a label, and nobody could look. */
export type LabelSeen = { is: "read"; label: string | null } | { is: "unread" };

export interface Cluster {
  decidedBy: GroupsDecidedBy;
  /** At once, from memory: whoever enrols or moves waits for no other server. */
  labelOf(node: string): LabelSeen;
  view(fleet: Fleet): ClusterView;
  stop(): Promise<void>;
}

export interface ClusterPorts {
  config: ClusterConfig;
  pilotGroup: string;
  changes: Pick<Changes, "listen" | "make">;
  publisher: Pick<Publisher, "refresh" | "wakeDevice">;
  wakeConductor: () => void;
  fleet: () => Promise<Fleet>;
  isLeader: () => boolean;
  now: () => number;
  log: Logger;
}

export async function openCluster(ports: ClusterPorts): Promise<Cluster> {
  const { config } = ports;
  const { access } = config;
  if (access.kind === "off") return noCluster(config, access.why);
  // Kubernetes' client is large: a hub without a cluster does not load it.
  const { openClusterApi } = await import("./api.ts");
  const { watchCluster } = await import("./sight.ts");
  const { keepGroups } = await import("./group-keeper.ts");
  const { groupMover } = await import("./group-mover.ts");
  const api = openClusterApi({ ...config, access });
  const sight = watchCluster({ api, now: ports.now, random: Math.random, log: ports.log });
  const keeper = keepGroups({ ...ports, api, sight, mover: groupMover(ports), random: Math.random });
  return {
    decidedBy: config.groupsDecidedBy,
    labelOf(name) {
      const node = sight.nodes()?.get(name);
      if (node) return { is: "read", label: node.labels[GROUP_LABEL] ?? null };
      const isSeen = sight.nodes() !== null && sight.problem("nodes") === null;
      return isSeen ? { is: "read", label: null } : { is: "unread" };
    },
    view: (fleet) => viewOf(config, sight, keeper, fleet),
    async stop() {
      await keeper.stop();
      await sight.stop();
    },
  };
}

function noCluster({ groupsDecidedBy }: ClusterConfig, why: string): Cluster {
  return {
    decidedBy: groupsDecidedBy,
    labelOf: () => ({ is: "read", label: null }),
    view: () => ({ state: "off", why_off: why, groups_decided_by: groupsDecidedBy, problems: [], nodes: [] }),
    stop: () => Promise.resolve(),
  };
}

function viewOf(config: ClusterConfig, sight: Sight, keeper: GroupKeeper, fleet: Fleet): ClusterView {
  const problems = [sight.problem("nodes"), sight.problem("pods"), keeper.problem()].filter(
    (problem): problem is ClusterProblem => problem !== null,
  );
  const isListed = sight.nodes() !== null && sight.pods() !== null;
  return {
    state: problems.length > 0 ? "partly" : isListed ? "seen" : "connecting",
    why_off: null,
    groups_decided_by: config.groupsDecidedBy,
    problems,
    nodes: nodesOf(config, sight, keeper, fleet),
  };
}

function nodesOf(config: ClusterConfig, sight: Sight, keeper: GroupKeeper, fleet: Fleet): ClusterNode[] {
  // What was seen an hour ago proves nothing about who runs an agent now.
  const pods = sight.problem("pods") === null ? sight.pods() : null;
  const byNode = Map.groupBy(pods?.values() ?? [], (pod: PodFacts) => pod.node);
  const nodes = [...(sight.nodes()?.values() ?? [])].flatMap((node) => {
    const device = fleet.device(node.name);
    const agent = agentOn(pods && (byNode.get(node.name) ?? []));
    const isExpected = isDeviceNode(node, config.nodes);
    // The cluster's own servers are no business of ours.
    if (!isExpected && !device && (agent === "none" || agent === "unknown")) return [];
    return clusterNode({
      node,
      agent,
      device: device?.id ?? null,
      isExpected,
      label: node.labels[GROUP_LABEL] ?? null,
      group: device ? homeOf(device) : null,
      labelTrouble: device ? keeper.troubleOf(device, node, fleet) : null,
    });
  });
  return nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
