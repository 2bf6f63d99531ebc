// Figures of the fleet and of the hub's queues, taken when Prometheus asks.
import { Gauge, Registry } from "prom-client";
import type { Hub } from "../hub.ts";

/** @returns a function that takes them and writes them down as Prometheus reads them. */
export function openGauges(hub: Hub): () => Promise<string> {
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
  const isLeader = gauge("leader", "1 on the hub that conducts and tells people.");

  return async () => {
    const fleet = await hub.fleet();
    bySync.reset();
    open.reset();
    deliveries.reset();
    for (const device of fleet.devices) {
      for (const model of fleet.modelsOf(device)) bySync.inc({ sync: fleet.standing(device, model).sync });
    }
    const here = fleet.devices.filter(({ id }) => hub.presence.isOnline(id)).length;
    online.set(here);
    offline.set(fleet.devices.length - here);
    for (const { state } of await hub.store.deployments.open()) open.inc({ state });
    for (const { state, count } of await hub.store.deliveries.counts()) deliveries.inc({ state }, count);
    held.set(hub.presence.held());
    reports.set(hub.reports.waiting());
    isLeader.set(hub.isLeader() ? 1 : 0);
    return registry.metrics();
  };
}
