// A test's hub that looks at a fake cluster, with the questions that its tests share.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type ClusterView, GROUP_LABEL } from "@context-edge/protocol";
import type { FakeCluster } from "./fake-cluster.ts";
import { openTestHub, type TestHub, until } from "./test-hub.ts";

export async function hubIn(cluster: FakeCluster, env: Record<string, string> = {}): Promise<TestHub> {
  const dir = mkdtempSync(join(tmpdir(), "context-edge-kube-"));
  const hub = await openTestHub({ HUB_KUBECONFIG: cluster.kubeconfig(dir), ...env });
  onTestFinished(async () => {
    await hub.close();
    rmSync(dir, { recursive: true });
  });
  return hub;
}

export const viewOf = async (hub: TestHub) => (await hub.call("GET", "/api/v1/cluster")).body as unknown as ClusterView;
export const seen = (hub: TestHub) => until(async () => (await viewOf(hub)).state === "seen");
export const labelOf = (cluster: FakeCluster, node: string) => cluster.get(node)?.metadata.labels[GROUP_LABEL];
export const labelled = (cluster: FakeCluster, node: string, group: string) =>
  until(async () => labelOf(cluster, node) === group);
export const move = (hub: TestHub, id: string, group: string) => hub.call("PATCH", `/api/v1/devices/${id}`, { group });
export const groupOf = async (hub: TestHub, id: string) =>
  (await hub.call("GET", `/api/v1/devices/${id}`)).body["group"];
export const inGroup = (hub: TestHub, id: string, group: string) =>
  until(async () => (await groupOf(hub, id)) === group);
