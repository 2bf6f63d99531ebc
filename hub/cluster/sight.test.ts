// Nodes and pods watched through Kubernetes' own client, on a fake API that forgets, denies, cuts and comes back.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import {
  AGENTS,
  fakeAgent,
  fakeCluster,
  type FakeCluster,
  fakeNode,
  type FakeObject,
} from "../testing/fake-cluster.ts";
import { until } from "../testing/test-hub.ts";
import { openClusterApi } from "./api.ts";
import { watchCluster } from "./sight.ts";

const PACE = { firstMs: 5, longestMs: 20 };

/** @param silenceMs a watch that is silent for longer is taken for dead */
function see(cluster: FakeCluster, silenceMs?: number) {
  const dir = mkdtempSync(join(tmpdir(), "context-edge-cluster-"));
  const config = {
    access: { kind: "kubeconfig", file: cluster.kubeconfig(dir) },
    groupsDecidedBy: "hub",
    namespace: AGENTS,
    agents: "app.kubernetes.io/name=context-edge-agent",
    nodes: [],
  } as const;
  const log = pino({ level: "silent" });
  const api = openClusterApi(config, silenceMs);
  const sight = watchCluster({ api, now: Date.now, random: Math.random, log, pace: PACE });
  onTestFinished(async () => {
    await sight.stop();
    rmSync(dir, { recursive: true });
  });
  const names = () => [...(sight.nodes()?.keys() ?? [])].toSorted();
  return {
    sight,
    names,
    settled: () => until(async () => cluster.open("nodes") === 1 && cluster.open("pods") === 1),
    seen: (...expected: string[]) => until(async () => names().join() === expected.join()),
  };
}
const listsOf = (cluster: FakeCluster) => cluster.asked.filter((words) => words === "list nodes").length;

test("what there is, what comes, changes and goes is seen, and of pods only the agents in their namespace", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1", { group: "line-3" }));
  cluster.put("pods", fakeAgent("jetson-1"));
  const stranger = (name: string, more: object): FakeObject => {
    const agent = fakeAgent(name);
    return { ...agent, metadata: { ...agent.metadata, ...more } };
  };
  cluster.put("pods", stranger("a", { namespace: "default" }));
  cluster.put("pods", stranger("b", { labels: { app: "inference" } }));
  const { sight, seen, settled } = see(cluster);
  await settled();
  expect(sight.nodes()?.get("jetson-1")?.labels).toMatchObject({ "context-edge.io/group": "line-3" });
  cluster.put("pods", stranger("c", { labels: { app: "inference" } }));
  cluster.put("pods", fakeAgent("jetson-2"));
  await until(async () => sight.pods()?.has("agent-jetson-2") === true);
  expect([...(sight.pods()?.keys() ?? [])]).toEqual(["agent-jetson-1", "agent-jetson-2"]);
  cluster.put("nodes", fakeNode("jetson-2"));
  await seen("jetson-1", "jetson-2");
  cluster.put("nodes", fakeNode("jetson-2", { ready: "Unknown", isCordoned: true }));
  await until(async () => sight.nodes()?.get("jetson-2")?.isReady === false);
  expect(sight.nodes()?.get("jetson-2")).toMatchObject({ isCordoned: true, unreadyBecause: "NodeStatusUnknown" });
  cluster.remove("nodes", "jetson-1");
  await seen("jetson-2");
  expect(listsOf(cluster)).toBe(1);
});

test("a watch that ended goes on from the last bookmark, and one that was cut from what was seen, without listing again", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1"));
  const { seen, settled } = see(cluster);
  await settled();
  for (let beat = 0; beat < 5; beat += 1) cluster.bookmark();
  cluster.hangUp();
  await until(async () => cluster.asked.includes("watch nodes from 106"));
  await settled();
  cluster.cut();
  await until(async () => cluster.asked.filter((words) => words === "watch nodes from 106").length === 2);
  cluster.put("nodes", fakeNode("jetson-2"));
  await seen("jetson-1", "jetson-2");
  expect(listsOf(cluster)).toBe(1);
});

test.each(["status", "event"] as const)(
  "410 Gone as %s: everything is listed again, and what went meanwhile is gone",
  async (gone) => {
    const cluster = await fakeCluster();
    cluster.gone = gone;
    cluster.put("nodes", fakeNode("jetson-1"));
    cluster.put("nodes", fakeNode("jetson-2"));
    const { seen, settled, sight } = see(cluster);
    await settled();
    cluster.hangUp();
    cluster.remove("nodes", "jetson-1");
    cluster.put("nodes", fakeNode("jetson-3"));
    cluster.forget();
    await seen("jetson-2", "jetson-3");
    await settled();
    expect(listsOf(cluster)).toBe(2);
    expect(sight.problem("nodes")).toBeNull();
  },
);

test("a denied verb is told with the line of RBAC that is missing, tried again, and forgotten once it is granted", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1"));
  cluster.refusals.set("list nodes", 403).set("watch pods", 403);
  const { sight, settled, seen } = see(cluster);
  await until(async () => sight.problem("nodes") !== null && sight.problem("pods") !== null);
  expect(sight.problem("nodes")).toMatchObject({
    code: "CLUSTER_DENIED",
    asked: "list nodes",
    next_step: expect.stringContaining('verb "list" on "nodes" by a ClusterRole'),
  });
  expect(sight.problem("pods")).toMatchObject({ code: "CLUSTER_DENIED", asked: `watch pods in namespace ${AGENTS}` });
  expect(sight.nodes()).toBeNull();
  const since = sight.problem("nodes")?.since;
  await until(async () => listsOf(cluster) > 3);
  expect(sight.problem("nodes")?.since).toBe(since);
  cluster.refusals.clear();
  await seen("jetson-1");
  await settled();
  await until(async () => sight.problem("nodes") === null && sight.problem("pods") === null);
});

test("an API that goes away is told, what was seen stays, and it is watched again when it is back", async () => {
  const cluster = await fakeCluster();
  cluster.put("nodes", fakeNode("jetson-1"));
  const { sight, settled, names } = see(cluster);
  await settled();
  await cluster.stop();
  await until(async () => sight.problem("nodes") !== null);
  expect(sight.problem("nodes")).toMatchObject({
    code: "CLUSTER_UNREACHABLE",
    next_step: expect.stringMatching(/k3s/),
  });
  expect(names()).toEqual(["jetson-1"]);
  await cluster.start();
  await settled();
  await until(async () => sight.problem("nodes") === null);
});

test("credentials that are refused, and a server that fails, are told apart", async () => {
  const cluster = await fakeCluster();
  cluster.refusals.set("list nodes", 401).set("list pods", 500);
  const { sight } = see(cluster);
  await until(async () => sight.problem("nodes") !== null && sight.problem("pods") !== null);
  expect(sight.problem("nodes")?.code).toBe("CLUSTER_CREDENTIALS_REFUSED");
  expect(sight.problem("pods")).toMatchObject({
    code: "CLUSTER_FAILED",
    message: expect.stringContaining("is refused"),
  });
});

test("a line that is no node, and one that is no JSON, are passed over", async () => {
  const cluster = await fakeCluster();
  const { seen, settled, sight } = see(cluster);
  await settled();
  cluster.say("nodes", { type: "ADDED", object: { metadata: {} } });
  cluster.say("nodes", { type: "ADDED" });
  cluster.put("nodes", fakeNode("jetson-1"));
  await seen("jetson-1");
  expect(sight.problem("nodes")).toBeNull();
});

test("a connection over which nothing comes any more is given up", async () => {
  const cluster = await fakeCluster();
  const { settled, sight } = see(cluster, 100);
  await settled();
  await until(async () => cluster.asked.filter((words) => words.startsWith("watch nodes")).length > 2);
  expect(listsOf(cluster)).toBe(1);
  expect(sight.problem("nodes")).toBeNull();
});
