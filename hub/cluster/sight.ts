// What the hub sees of the cluster: its nodes and the agents' pods, watched for as long as the hub runs.
import type { Logger } from "pino";
import type { ClusterProblem } from "@context-edge/protocol";
import type { NodeFacts, PodFacts } from "../core/cluster.ts";
import type { Pace } from "../core/pace.ts";
import type { ClusterApi } from "./api.ts";
import { nodeOf, podOf } from "./objects.ts";
import { keepWatched } from "./watched.ts";

export interface Sight {
  /** As last seen; null until they were listed once. */
  nodes(): ReadonlyMap<string, NodeFacts> | null;
  pods(): ReadonlyMap<string, PodFacts> | null;
  /** Why what is shown of this may be old; null while it is watched. */
  problem(of: "nodes" | "pods"): ClusterProblem | null;
  /** @param listener told after each change of what is seen, or of how well */
  listen(listener: () => void): void;
  stop(): Promise<void>;
}

interface Ports {
  api: ClusterApi;
  now: () => number;
  random: () => number;
  log: Pick<Logger, "info" | "warn">;
  pace?: Pace;
}

export function watchCluster({ api, now, random, log, pace }: Ports): Sight {
  const listeners = new Set<() => void>();
  const onChange = () => {
    for (const listener of listeners) listener();
  };
  const common = { onChange, now, random, log, pace };
  const nodes = keepWatched<NodeFacts>(api, { resource: "nodes", parse: nodeOf, ...common });
  const pods = keepWatched<PodFacts>(api, { resource: "pods", parse: podOf, ...common });
  const watched = { nodes, pods };
  return {
    nodes: nodes.objects,
    pods: pods.objects,
    problem: (of) => watched[of].problem(),
    listen: (listener) => void listeners.add(listener),
    async stop() {
      await Promise.all([nodes.stop(), pods.stop()]);
    },
  };
}
