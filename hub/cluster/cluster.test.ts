// A hub that looks at a cluster: groups by labels, labels by groups, what is wrong in words, and the same hub without a cluster.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { GROUP_LABEL } from "@context-edge/protocol";
import { groupOf, hubIn, inGroup, labelled, labelOf, move, seen, viewOf } from "../testing/cluster-hub.ts";
import { AGENTS, fakeAgent, fakeCluster, fakeNode } from "../testing/fake-cluster.ts";
import { openTestHub, until } from "../testing/test-hub.ts";

test("each node is shown with its agent, its device, its label and what is wrong; servers of the cluster are not", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1", { group: "line-3" }));
  cluster.put("pods", fakeAgent("jetson-1"));
  cluster.put("nodes", fakeNode("jetson-2", { ready: "Unknown", isCordoned: true }));
  cluster.put("nodes", fakeNode("server", { labels: { "node-role.kubernetes.io/control-plane": "true" } }));
  const hub = await hubIn(cluster);
  await seen(hub);
  await hub.enroll("jetson-1");
  const view = await viewOf(hub);
  expect(view).toMatchObject({ state: "seen", why_off: null, groups_decided_by: "hub", problems: [] });
  expect(view.nodes).toMatchObject([
    {
      name: "jetson-1",
      ready: true,
      cordoned: false,
      agent: "ready",
      device: "jetson-1",
      label_group: "line-3",
      group: "line-3",
      troubles: [],
    },
    {
      name: "jetson-2",
      agent: "none",
      device: null,
      label_group: null,
      troubles: [{ code: "NOT_READY" }, { code: "NO_AGENT" }, { code: "CORDONED" }],
    },
  ]);
  const figures = (await hub.app.inject("/metrics")).body;
  expect(figures).toContain("context_edge_cluster_nodes 2");
  expect(figures).toContain('context_edge_cluster_node_troubles{code="NO_AGENT"} 1');
  expect(figures).toContain("context_edge_cluster_problems 0");
  cluster.put("pods", fakeAgent("jetson-2", "False"));
  await until(async () => (await viewOf(hub)).nodes[1]?.agent === "not-ready");
});

test("a device enrols into the group of its node's label; the group that its join token names comes first", async () => {
  const cluster = await fakeCluster();
  for (const name of ["jetson-1", "jetson-2", "jetson-3"]) cluster.put("nodes", fakeNode(name, { group: "line-3" }));
  const hub = await hubIn(cluster);
  await seen(hub);
  await hub.enroll("jetson-1", "what-the-agent-asks-for");
  expect(await groupOf(hub, "jetson-1")).toBe("line-3");
  const { body } = await hub.call("POST", "/api/v1/join-tokens", { name: "line", group: "line-9" });
  const enrolled = await hub.call("POST", "/device/v1/enroll", {
    join_token: body["secret"],
    device_id: "jetson-2",
    inventory: { agent_version: "test", arch: "arm64" },
  });
  expect(enrolled.body).toMatchObject({ group: "line-9" });
  await labelled(cluster, "jetson-2", "line-9");
  await hub.enroll("no-node", "south");
  expect(await groupOf(hub, "no-node")).toBe("south");
  const { items } = (await hub.call("GET", "/api/v1/audit?kind=device.enrolled&subject=jetson-1")).body as {
    items: { summary: string }[];
  };
  expect(items[0]?.summary).toContain("group line-3, as the label of its node says");
});

test("where the hub decides, a move is written into the label by a merge patch, and a label changed by hand is written back", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1", { group: "line-3" }));
  const hub = await hubIn(cluster);
  await seen(hub);
  await hub.enroll("jetson-1");
  await hub.call("POST", "/api/v1/groups", { name: "line-4" });
  expect(await move(hub, "jetson-1", "line-4")).toMatchObject({ status: 200 });
  await labelled(cluster, "jetson-1", "line-4");
  expect(cluster.patches[0]).toMatchObject({
    type: "application/merge-patch+json",
    body: { metadata: { labels: { [GROUP_LABEL]: "line-4" } } },
  });
  expect(cluster.get("jetson-1")?.metadata.labels).toHaveProperty("context-edge.io/jetson");
  cluster.put("nodes", fakeNode("jetson-1", { group: "by-hand" }));
  await labelled(cluster, "jetson-1", "line-4");
  expect(await groupOf(hub, "jetson-1")).toBe("line-4");
  const told = async () => (await hub.call("GET", "/api/v1/audit?kind=node.labelled")).body["items"];
  await until(async () => ((await told()) as object[]).length === 2);
  expect(await told()).toMatchObject([
    { actor: "cluster", subject: "jetson-1", data: { from: "by-hand", to: "line-4" } },
    { actor: "cluster", subject: "jetson-1", data: { from: "line-3", to: "line-4" } },
  ]);
});

test("in the pilot and on a pin the label goes on saying where the device belongs", async () => {
  const cluster = await fakeCluster();
  for (const name of ["jetson-1", "jetson-2"]) cluster.put("nodes", fakeNode(name, { group: "line-3" }));
  const hub = await hubIn(cluster);
  await seen(hub);
  for (const id of ["jetson-1", "jetson-2"]) await hub.enroll(id);
  await hub.register("v1");
  const pilot = await hub.call("POST", "/mlops/models/v1/deploy-pilot", { pilot_device_ids: ["jetson-1"] });
  expect(pilot.status).toBe(200);
  const pin = await hub.call("PUT", "/api/v1/devices/jetson-2/pin", { version: "v1", reason: "stays" });
  expect(pin.status).toBe(200);
  // Something that is written proves that the look before it wrote nothing.
  cluster.put("nodes", fakeNode("jetson-3"));
  await hub.enroll("jetson-3", "line-5");
  await labelled(cluster, "jetson-3", "line-5");
  expect(cluster.patches).toHaveLength(1);
  expect([labelOf(cluster, "jetson-1"), labelOf(cluster, "jetson-2")]).toEqual(["line-3", "line-3"]);
  const { nodes } = await viewOf(hub);
  expect(nodes.map(({ group }) => group)).toEqual(["line-3", "line-3", "line-5"]);
});

test("a denied patch never holds a move up: it is told with the missing verb, and written once it is granted", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1", { group: "line-3" }));
  cluster.put("pods", fakeAgent("jetson-1"));
  cluster.refusals.set("patch nodes", 403);
  const hub = await hubIn(cluster);
  await seen(hub);
  await hub.enroll("jetson-1");
  await hub.call("POST", "/api/v1/groups", { name: "line-4" });
  expect(await move(hub, "jetson-1", "line-4")).toMatchObject({ status: 200, body: { group: "line-4" } });
  await until(async () => (await viewOf(hub)).state === "partly");
  const { problems, nodes } = await viewOf(hub);
  expect(problems).toMatchObject([
    { code: "CLUSTER_DENIED", asked: "patch nodes", next_step: expect.stringContaining('verb "patch" on "nodes"') },
  ]);
  expect(nodes[0]).toMatchObject({ label_group: "line-3", group: "line-4", troubles: [{ code: "LABEL_NOT_WRITTEN" }] });
  cluster.refusals.clear();
  await labelled(cluster, "jetson-1", "line-4");
  await seen(hub);
});

test("a hub that may see nothing works on and says so; labels count once they can be read, except for who was moved since", async () => {
  const cluster = await fakeCluster();
  for (const name of ["jetson-1", "jetson-2"]) cluster.put("nodes", fakeNode(name, { group: "line-3" }));
  cluster.refusals.set("list", 403);
  const hub = await hubIn(cluster);
  await until(async () => (await viewOf(hub)).problems.length === 2);
  expect(await viewOf(hub)).toMatchObject({ state: "partly", nodes: [] });
  expect((await hub.app.inject("/readyz")).statusCode).toBe(200);
  for (const id of ["jetson-1", "jetson-2"]) {
    await hub.enroll(id);
    expect(await groupOf(hub, id)).toBe("default");
  }
  await hub.call("POST", "/api/v1/groups", { name: "line-4" });
  await move(hub, "jetson-2", "line-4");
  await move(hub, "jetson-2", "default");
  cluster.refusals.clear();
  await inGroup(hub, "jetson-1", "line-3");
  await labelled(cluster, "jetson-2", "default");
  expect(labelOf(cluster, "jetson-1")).toBe("line-3");
});

test("without a cluster nothing is asked and nothing is different", async () => {
  const hub = await openTestHub();
  onTestFinished(() => hub.close());
  await hub.enroll("edge-001", "south");
  expect(await groupOf(hub, "edge-001")).toBe("south");
  expect(await viewOf(hub)).toEqual({
    state: "off",
    why_off: expect.stringContaining("runs in no cluster"),
    groups_decided_by: "hub",
    problems: [],
    nodes: [],
  });
});

test("a kubeconfig that is not there is told, and taken up when it is", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1"));
  const dir = mkdtempSync(join(tmpdir(), "context-edge-kube-"));
  const hub = await openTestHub({ HUB_KUBECONFIG: join(dir, "kubeconfig.json"), HUB_CLUSTER_NAMESPACE: AGENTS });
  onTestFinished(async () => {
    await hub.close();
    rmSync(dir, { recursive: true });
  });
  await until(async () => (await viewOf(hub)).problems.length === 2);
  expect((await viewOf(hub)).problems[0]?.message).toContain("ENOENT");
  cluster.kubeconfig(dir);
  await seen(hub);
  expect((await viewOf(hub)).nodes).toMatchObject([{ name: "jetson-1" }]);
});
