// What is wrong with a node of the cluster, in words, and which nodes are devices at all. Kubernetes' own objects stay outside.
import type { AgentOnNode, ClusterNode, NodeTrouble } from "@context-edge/protocol";

/** As much of a Node as the hub needs. */
export interface NodeFacts {
  name: string;
  labels: Readonly<Record<string, string>>;
  isReady: boolean;
  /** The kubelet's or the cluster's word for why it is not ready; empty when it says nothing. */
  unreadyBecause: string;
  isCordoned: boolean;
}

/** As much of an agent's Pod. */
export interface PodFacts {
  name: string;
  /** Empty until it is scheduled. */
  node: string;
  isReady: boolean;
  isEnding: boolean;
}

/** `key` or `key=value`; a node that fits one of them is to run an agent. */
export interface NodeTerm {
  key: string;
  value: string | undefined;
}

export const isDeviceNode = ({ labels }: NodeFacts, terms: readonly NodeTerm[]): boolean =>
  terms.some(({ key, value }) => (value === undefined ? key in labels : labels[key] === value));

/** @param pods the agents of this node; null while pods cannot be seen */
export function agentOn(pods: readonly PodFacts[] | null): AgentOnNode {
  if (pods === null) return "unknown";
  const staying = pods.filter(({ isEnding }) => !isEnding);
  if (staying.some(({ isReady }) => isReady)) return "ready";
  return staying.length > 0 ? "not-ready" : "none";
}

export interface NodeSeen {
  node: NodeFacts;
  agent: AgentOnNode;
  device: string | null;
  /** It is one of those that are to run an agent. */
  isExpected: boolean;
  label: string | null;
  group: string | null;
  /** What is wrong about its label, from `labelTrouble`. */
  labelTrouble: NodeTrouble | null;
}

export function clusterNode(seen: NodeSeen): ClusterNode {
  const { node, agent, device, label, group } = seen;
  return {
    name: node.name,
    ready: node.isReady,
    cordoned: node.isCordoned,
    agent,
    device,
    label_group: label,
    group,
    troubles: troublesOf(seen),
  };
}

/** Worst first: what explains the others comes before them. */
function troublesOf({ node, agent, device, isExpected, labelTrouble }: NodeSeen): NodeTrouble[] {
  const { name } = node;
  const troubles: NodeTrouble[] = [];
  const add = (code: NodeTrouble["code"], message: string, next_step: string) =>
    void troubles.push({ code, message, next_step });
  if (!node.isReady) {
    const why = node.unreadyBecause === "" ? "" : ` (${node.unreadyBecause})`;
    add(
      "NOT_READY",
      `The cluster calls ${name} NotReady${why}`,
      "Its service may well go on running. Look at its power, its network and its k3s agent.",
    );
  }
  if (agent === "none" && isExpected)
    add(
      "NO_AGENT",
      `No agent runs on ${name}`,
      "Look at the DaemonSet's events: its node selector, taints, its image, or no room.",
    );
  if (agent === "not-ready")
    add("AGENT_NOT_READY", `The agent on ${name} is not ready`, "Look at its pod: kubectl describe, then its log.");
  if (agent === "ready" && device === null)
    add(
      "NO_DEVICE",
      `The agent on ${name} has not enrolled here under the node's name`,
      "Look at its log: its hub address, its join token, and AGENT_DEVICE_ID, which is to be the node's name.",
    );
  if (node.isCordoned)
    add(
      "CORDONED",
      `${name} is cordoned: nothing new is placed there, but its agent stays and still takes deployments`,
      "Hold the device if it must not change; kubectl uncordon when the work is done.",
    );
  if (labelTrouble) troubles.push(labelTrouble);
  return troubles;
}
