// Figures of the fleet and of the hub's queues, taken when Prometheus asks.
import {
  CLOSED_DEPLOYMENT_STATES,
  DeliveryState,
  DeploymentState,
  NodeTroubleCode,
  SyncState,
} from "@context-edge/protocol";
import { Gauge, Registry } from "prom-client";
import type { Hub } from "../hub.ts";
import type { Checks } from "./readiness.ts";

const OPEN_STATES = DeploymentState.options.filter((state) => !CLOSED_DEPLOYMENT_STATES.includes(state));

/**
 * @param look at whether the hub is ready
 * @returns a function that takes them and writes them down as Prometheus reads them
 */
export function openGauges(hub: Hub, look: () => Promise<Checks>): () => Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `context_edge_${name}`, help, labelNames, registers });
  const bySync = gauge("devices", "Devices by sync state, once for each model they run.", ["sync"]);
  const online = gauge("devices_online", "Devices heard of lately.");
  const offline = gauge("devices_offline", "Devices silent for longer than HUB_OFFLINE_AFTER_SECONDS.");
  const open = gauge("deployments_open", "Deployments that may still change a target, by state.", ["state"]);
  const held = gauge("polls_held", "Polls waiting for news.");
  const reports = gauge("reports_queued", "Reports gathered, but not yet written.");
  const deliveries = gauge("webhook_deliveries", "Deliveries by state, as far as they are remembered.", ["state"]);
  const nodes = gauge("cluster_nodes", "Nodes that are devices or should be; 0 without a cluster.");
  const troubles = gauge("cluster_node_troubles", "Nodes in trouble, by what is wrong.", ["code"]);
  const clusterProblems = gauge(
    "cluster_problems",
    "What the hub may not or cannot do in the cluster; 0: all is seen.",
  );
  const ready = gauge("ready", "The checks of /readyz: 1 or 0.", ["check"]);
  const isLeader = gauge("leader", "1 on the hub that conducts and tells people.");

  return async () => {
    const fleet = await hub.fleet();
    // A state that nothing is in reads 0: an alert on a series that is not there never ends, or never begins.
    for (const sync of SyncState.options) bySync.set({ sync }, 0);
    for (const state of OPEN_STATES) open.set({ state }, 0);
    for (const state of DeliveryState.options) deliveries.set({ state }, 0);
    for (const device of fleet.devices) {
      for (const model of fleet.modelsOf(device)) bySync.inc({ sync: fleet.standing(device, model).sync });
    }
    const here = fleet.devices.filter(({ id }) => hub.presence.isOnline(id)).length;
    online.set(here);
    offline.set(fleet.devices.length - here);
    for (const { state } of await hub.store.deployments.open()) open.inc({ state });
    for (const { state, count } of await hub.store.deliveries.counts()) deliveries.inc({ state }, count);
    for (const [check, { ok }] of Object.entries(await look())) ready.set({ check }, ok ? 1 : 0);
    const cluster = hub.cluster.view(fleet);
    for (const code of NodeTroubleCode.options) troubles.set({ code }, 0);
    for (const node of cluster.nodes) for (const { code } of node.troubles) troubles.inc({ code });
    nodes.set(cluster.nodes.length);
    clusterProblems.set(cluster.problems.length);
    held.set(hub.presence.held());
    reports.set(hub.reports.waiting());
    isLeader.set(hub.isLeader() ? 1 : 0);
    return registry.metrics();
  };
}
