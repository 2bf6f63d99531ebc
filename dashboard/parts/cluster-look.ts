// The look at the cluster as elements of the page take it: by the hub's API and the browser's clock.
import type { ReactiveControllerHost } from "lit";
import { api } from "../live/client.ts";
import { ClusterLook } from "../live/cluster.ts";

export const lookAtCluster = (host: ReactiveControllerHost): ClusterLook =>
  new ClusterLook(host, {
    fetch: () => api.cluster(),
    every(periodMs, work) {
      const timer = setInterval(work, periodMs);
      return () => clearInterval(timer);
    },
  });
