// When a hub looks at a cluster, and which: off on its own, on in a pod that has a token, and never by a stray KUBECONFIG.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { CLUSTER_ENVIRONMENT, readCluster } from "./cluster-config.ts";

const HERE = fileURLToPath(import.meta.url);
const NOWHERE = `${HERE}.not-there`;
const parse = (env: Record<string, string>) => z.object(CLUSTER_ENVIRONMENT).safeParse(env);
const POD = { KUBERNETES_SERVICE_HOST: "10.43.0.1" };

test.each<[string, Record<string, string>, string, object | string]>([
  ["on its own", {}, HERE, { kind: "off", why: expect.stringContaining("runs in no cluster") }],
  ["in a pod", POD, HERE, { kind: "in-cluster" }],
  ["in a pod without a token", POD, NOWHERE, { kind: "off", why: expect.stringContaining("automount") }],
  ["in a pod without a token, on", { ...POD, HUB_CLUSTER: "on" }, NOWHERE, { kind: "in-cluster" }],
  ["in a pod, off", { ...POD, HUB_CLUSTER: "off" }, HERE, { kind: "off", why: "HUB_CLUSTER is off" }],
  ["on a laptop with a KUBECONFIG", { KUBECONFIG: "/k" }, NOWHERE, { kind: "off" }],
  ["the same, on", { KUBECONFIG: "/k:/l", HUB_CLUSTER: "on" }, NOWHERE, { kind: "kubeconfig", file: "/k" }],
  ["by its own kubeconfig", { HUB_KUBECONFIG: "/k" }, NOWHERE, { kind: "kubeconfig", file: "/k" }],
  ["by its own, off", { HUB_KUBECONFIG: "/k", HUB_CLUSTER: "off" }, NOWHERE, { kind: "off" }],
  ["on, with no way there", { HUB_CLUSTER: "on" }, NOWHERE, "HUB_KUBECONFIG or KUBECONFIG"],
])("%s", (_, env, tokenFile, expected) => {
  const read = readCluster(parse(env).data ?? ({} as never), tokenFile);
  if (typeof expected === "string") expect(read).toContain(expected);
  else expect(read).toMatchObject({ access: expected });
});

test("nodes are named by labels, each alone enough; what is no setting is refused", () => {
  expect(parse({}).data?.HUB_CLUSTER_NODES).toEqual([
    { key: "context-edge.io/jetson", value: "true" },
    { key: "context-edge.io/lab", value: "true" },
  ]);
  expect(parse({ HUB_CLUSTER_NODES: "gpu, kind=jetson," }).data?.HUB_CLUSTER_NODES).toEqual([
    { key: "gpu", value: undefined },
    { key: "kind", value: "jetson" },
  ]);
  expect(parse({ HUB_CLUSTER: "yes" }).success).toBe(false);
  expect(parse({ HUB_CLUSTER_GROUPS: "both" }).success).toBe(false);
});
