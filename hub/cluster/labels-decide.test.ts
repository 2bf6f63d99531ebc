// HUB_CLUSTER_GROUPS=label: labels of nodes move devices, people do not, and only what is seen now is followed.
import { expect, test } from "vitest";
import { GROUP_LABEL } from "@context-edge/protocol";
import { groupOf, hubIn, inGroup, move, seen, viewOf } from "../testing/cluster-hub.ts";
import { fakeAgent, fakeCluster, fakeNode } from "../testing/fake-cluster.ts";
import { until } from "../testing/test-hub.ts";

test("where labels decide, they move devices, moves by hand are refused, and a group that is not there is told", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1", { group: "line-3" }));
  cluster.put("pods", fakeAgent("jetson-1"));
  const hub = await hubIn(cluster, { HUB_CLUSTER_GROUPS: "label" });
  await seen(hub);
  await hub.enroll("jetson-1");
  await hub.enroll("no-node", "line-3");
  await hub.call("POST", "/api/v1/groups", { name: "line-4" });
  expect(await move(hub, "jetson-1", "line-4")).toMatchObject({
    status: 409,
    body: { code: "GROUP_BY_LABEL", next_step: expect.stringContaining(`jetson-1 ${GROUP_LABEL}=line-4`) },
  });
  expect(await move(hub, "no-node", "line-4")).toMatchObject({ status: 200 });
  cluster.put("nodes", fakeNode("jetson-1", { group: "line-4" }));
  await inGroup(hub, "jetson-1", "line-4");
  cluster.put("nodes", fakeNode("jetson-1", { group: "lien-3" }));
  await until(async () => (await viewOf(hub)).nodes[0]?.troubles[0]?.code === "LABEL_REFUSED");
  expect(await groupOf(hub, "jetson-1")).toBe("line-4");
  expect(cluster.patches).toEqual([]);
});

test("where labels decide, a device in the pilot stays there and goes where the label says afterwards", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1", { group: "line-3" }));
  const hub = await hubIn(cluster, { HUB_CLUSTER_GROUPS: "label" });
  await seen(hub);
  await hub.enroll("jetson-1");
  await hub.enroll("other", "line-4");
  await hub.register("v1");
  const pilot = (id: string) => hub.call("POST", "/mlops/models/v1/deploy-pilot", { pilot_device_ids: [id] });
  await pilot("jetson-1");
  cluster.put("nodes", fakeNode("jetson-1", { group: "line-4" }));
  await until(async () => (await hub.call("GET", "/api/v1/devices/jetson-1")).body["home_group"] === "line-4");
  expect(await groupOf(hub, "jetson-1")).toBe("pilot");
  expect((await pilot("other")).status).toBe(200);
  await inGroup(hub, "jetson-1", "line-4");
});

test("while the nodes are not seen nobody follows an old label; what it says when they are seen again counts", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1", { group: "line-3" }));
  const hub = await hubIn(cluster, { HUB_CLUSTER_GROUPS: "label" });
  await seen(hub);
  await hub.enroll("jetson-1");
  for (const name of ["line-4", "pilot"]) await hub.call("POST", "/api/v1/groups", { name });
  await cluster.stop();
  await until(async () => (await viewOf(hub)).problems.length === 2);
  // Moved by hand into the pilot it has no home, which the label would give it at once.
  expect(await move(hub, "jetson-1", "pilot")).toMatchObject({ status: 200, body: { home_group: null } });
  expect(await move(hub, "jetson-1", "line-4")).toMatchObject({ status: 409 });
  cluster.put("nodes", fakeNode("jetson-1", { group: "line-4" }));
  await cluster.start();
  await until(async () => (await hub.call("GET", "/api/v1/devices/jetson-1")).body["home_group"] === "line-4");
  const { body } = await hub.call("GET", "/api/v1/audit?kind=device.rehomed");
  expect(body["items"]).toMatchObject([{ actor: "cluster", data: { from: null, to: "line-4" } }]);
});
