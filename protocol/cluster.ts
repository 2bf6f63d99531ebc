// What the hub sees of the Kubernetes cluster that its devices may be nodes of: each node, its agent, its group's label, and what is wrong.
import { z } from "zod";
import { DeviceId, GroupName, Timestamp } from "./names.ts";

/** The label of a node that names its device's group. */
export const GROUP_LABEL = "context-edge.io/group";

/** Who decides on a device's group after it has enrolled: the hub, which writes labels back, or the label, which moves devices. */
export const GroupsDecidedBy = z.enum(["hub", "label"]);
export type GroupsDecidedBy = z.infer<typeof GroupsDecidedBy>;

export const NodeTroubleCode = z.enum([
  "NOT_READY",
  "NO_AGENT",
  "AGENT_NOT_READY",
  "NO_DEVICE",
  "CORDONED",
  "LABEL_REFUSED",
  "LABEL_NOT_WRITTEN",
]);
export type NodeTroubleCode = z.infer<typeof NodeTroubleCode>;

export const NodeTrouble = z.object({
  code: NodeTroubleCode,
  message: z.string(),
  next_step: z.string(),
});
export type NodeTrouble = z.infer<typeof NodeTrouble>;

/** `unknown` while the pods cannot be seen: then nobody is accused of running no agent. */
export const AgentOnNode = z.enum(["ready", "not-ready", "none", "unknown"]);
export type AgentOnNode = z.infer<typeof AgentOnNode>;

export const ClusterNode = z.object({
  name: z.string(),
  ready: z.boolean(),
  cordoned: z.boolean(),
  agent: AgentOnNode,
  /** The device of this node: agents are named after their node. Null until it has enrolled. */
  device: DeviceId.nullable(),
  /** What the node's label says. */
  label_group: z.string().nullable(),
  /** What the label should say: the device's group, or where it returns to from the pilot or a pin. */
  group: GroupName.nullable(),
  /** Worst first. */
  troubles: z.array(NodeTrouble),
});
export type ClusterNode = z.infer<typeof ClusterNode>;

export const ClusterProblemCode = z.enum([
  "CLUSTER_DENIED",
  "CLUSTER_UNREACHABLE",
  "CLUSTER_CREDENTIALS_REFUSED",
  "CLUSTER_FAILED",
]);
export type ClusterProblemCode = z.infer<typeof ClusterProblemCode>;

/** Why the hub does not see, or may not do, what it wants to in the cluster. It goes on without, and tries again. */
export const ClusterProblem = z.object({
  code: ClusterProblemCode,
  /** What was asked: `list nodes`, `patch nodes`. */
  asked: z.string(),
  message: z.string(),
  next_step: z.string(),
  since: Timestamp,
});
export type ClusterProblem = z.infer<typeof ClusterProblem>;

export const ClusterView = z.object({
  /** `off`: this hub looks at no cluster. `seen`: nodes and pods are watched. `partly`: see the problems; what is shown may be old. */
  state: z.enum(["off", "connecting", "seen", "partly"]),
  /** Why it is off. */
  why_off: z.string().nullable(),
  groups_decided_by: GroupsDecidedBy,
  problems: z.array(ClusterProblem),
  /** Nodes that are devices, or should be; by name. */
  nodes: z.array(ClusterNode),
});
export type ClusterView = z.infer<typeof ClusterView>;
