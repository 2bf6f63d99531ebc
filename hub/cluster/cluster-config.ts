// The settings of the cluster: whether this hub looks at one, how it gets there, and who decides on groups.
import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { GroupsDecidedBy } from "@context-edge/protocol";
import { z } from "zod";
import type { NodeTerm } from "../core/cluster.ts";

export type ClusterAccess =
  | { kind: "off"; why: string }
  | { kind: "in-cluster" }
  /** The file is read anew whenever it is needed. */
  | { kind: "kubeconfig"; file: string };

export interface ClusterConfig {
  access: ClusterAccess;
  groupsDecidedBy: GroupsDecidedBy;
  /** Where the agents' pods are, and their label. */
  namespace: string;
  agents: string;
  nodes: readonly NodeTerm[];
}

const terms = z
  .string()
  .default("context-edge.io/jetson=true,context-edge.io/lab=true")
  .transform((text) =>
    text.split(",").flatMap((part): NodeTerm[] => {
      const [key = "", value] = part.trim().split("=", 2);
      return key === "" ? [] : [{ key, value }];
    }),
  );

export const CLUSTER_ENVIRONMENT = {
  HUB_CLUSTER: z.enum(["auto", "on", "off"]).default("auto"),
  HUB_CLUSTER_GROUPS: GroupsDecidedBy.default("hub"),
  HUB_CLUSTER_NAMESPACE: z.string().min(1).default("context-edge-agents"),
  HUB_CLUSTER_AGENTS: z.string().min(1).default("app.kubernetes.io/name=context-edge-agent"),
  HUB_CLUSTER_NODES: terms,
  HUB_KUBECONFIG: z.string().min(1).optional(),
  /** The cluster's and kubectl's own. */
  KUBECONFIG: z.string().optional(),
  KUBERNETES_SERVICE_HOST: z.string().optional(),
};
const Environment = z.object(CLUSTER_ENVIRONMENT);
type ClusterEnvironment = z.infer<typeof Environment>;

/** Mounted by the kubelet, unless the pod asks for none (Kubernetes, "Accessing the API from a Pod"). */
const TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** @returns one line about what is wrong, instead of the settings */
export function readCluster(env: ClusterEnvironment, tokenFile = TOKEN_FILE): ClusterConfig | string {
  const access = accessOf(env, existsSync(tokenFile));
  if (typeof access === "string") return access;
  return {
    access,
    groupsDecidedBy: env.HUB_CLUSTER_GROUPS,
    namespace: env.HUB_CLUSTER_NAMESPACE,
    agents: env.HUB_CLUSTER_AGENTS,
    nodes: env.HUB_CLUSTER_NODES,
  };
}

function accessOf(env: ClusterEnvironment, hasToken: boolean): ClusterAccess | string {
  if (env.HUB_CLUSTER === "off") return { kind: "off", why: "HUB_CLUSTER is off" };
  if (env.HUB_KUBECONFIG !== undefined) return { kind: "kubeconfig", file: env.HUB_KUBECONFIG };
  const isInCluster = env.KUBERNETES_SERVICE_HOST !== undefined;
  if (isInCluster && hasToken) return { kind: "in-cluster" };
  if (env.HUB_CLUSTER === "auto") {
    // KUBECONFIG alone turns nothing on: on somebody's laptop it leads to whatever they work on, and labels would be written there.
    const why = isInCluster
      ? "this pod has no service account token (automountServiceAccountToken)"
      : "this hub runs in no cluster, and HUB_KUBECONFIG names none";
    return { kind: "off", why };
  }
  const [file] = (env.KUBECONFIG ?? "").split(delimiter).filter((part) => part !== "");
  if (file !== undefined) return { kind: "kubeconfig", file };
  if (isInCluster) return { kind: "in-cluster" };
  return "HUB_CLUSTER=on needs a cluster: run the hub in one, or name a file with HUB_KUBECONFIG or KUBECONFIG";
}
