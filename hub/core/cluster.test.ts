// Tables over what is decided about a cluster: what is wrong with a node, who wins about a group, and how refusals read.
import { describe, expect, test } from "vitest";
import type { NodeTroubleCode } from "@context-edge/protocol";
import { agentOn, clusterNode, isDeviceNode, type NodeFacts, type NodeSeen } from "./cluster.ts";
import { groupAtEnrolment, homeOf, type LabelCase, labelStep, moveForbiddenBy, type Wishes } from "./cluster-groups.ts";
import { refusalOf } from "./cluster-refusals.ts";
import { pauseAfterMs } from "./pace.ts";

const NODE: NodeFacts = {
  name: "jetson-1",
  labels: { "context-edge.io/jetson": "true" },
  isReady: true,
  unreadyBecause: "",
  isCordoned: false,
};
const SEEN: NodeSeen = {
  node: NODE,
  agent: "ready",
  device: "jetson-1",
  isExpected: true,
  label: null,
  group: "default",
  labelTrouble: null,
};

describe("what is wrong with a node", () => {
  test.each<[string, Partial<NodeSeen>, NodeTroubleCode[]]>([
    ["nothing", {}, []],
    ["it is NotReady", { node: { ...NODE, isReady: false } }, ["NOT_READY"]],
    ["it is cordoned", { node: { ...NODE, isCordoned: true } }, ["CORDONED"]],
    ["no agent runs", { agent: "none" }, ["NO_AGENT"]],
    ["no agent runs where none is to run", { agent: "none", isExpected: false }, []],
    ["nobody knows whether an agent runs", { agent: "unknown", device: null }, []],
    ["its agent is not ready", { agent: "not-ready", device: null }, ["AGENT_NOT_READY"]],
    ["its agent never enrolled", { device: null }, ["NO_DEVICE"]],
    [
      "much, the worst first",
      { node: { ...NODE, isReady: false, isCordoned: true }, agent: "none" },
      ["NOT_READY", "NO_AGENT", "CORDONED"],
    ],
  ])("%s", (_, more, codes) => {
    const { troubles } = clusterNode({ ...SEEN, ...more });
    expect(troubles.map(({ code }) => code)).toEqual(codes);
    for (const { message, next_step } of troubles) {
      expect(message).toContain("jetson-1");
      expect(next_step).not.toBe("");
    }
  });
  test("the kubelet's own word for it is handed on", () => {
    const node = { ...NODE, isReady: false, unreadyBecause: "NodeStatusUnknown" };
    expect(clusterNode({ ...SEEN, node }).troubles[0]?.message).toContain("NotReady (NodeStatusUnknown)");
  });
  test("an agent that is being replaced does not count, and one that is ready is enough", () => {
    const pod = { name: "a", node: "jetson-1", isReady: true, isEnding: true };
    expect(agentOn([pod])).toBe("none");
    expect(agentOn([pod, { ...pod, isEnding: false, isReady: false }])).toBe("not-ready");
    expect(agentOn([pod, { ...pod, isEnding: false }])).toBe("ready");
    expect(agentOn(null)).toBe("unknown");
  });
  test.each([
    [{ a: "1" }, [{ key: "a", value: "1" }], true],
    [{ a: "2" }, [{ key: "a", value: "1" }], false],
    [{ a: "" }, [{ key: "a", value: undefined }], true],
    [
      { b: "true" },
      [
        { key: "a", value: "1" },
        { key: "b", value: "true" },
      ],
      true,
    ],
    [{ a: "1" }, [], false],
  ])("a node with %j by %j is one that runs an agent: %s", (labels, terms, is) => {
    expect(isDeviceNode({ ...NODE, labels }, terms)).toBe(is);
  });
});

describe("the group at enrolment", () => {
  const all: Wishes = { token: "by-token", label: "by-label", device: "by-device" };
  test.each<["hub" | "label", Partial<Wishes>, string | null]>([
    ["hub", {}, "by-token"],
    ["hub", { token: null }, "by-label"],
    ["hub", { token: null, label: null }, "by-device"],
    ["hub", { token: null, label: "" }, "by-device"],
    ["hub", { token: null, label: "pinned.jetson-1" }, "by-device"],
    ["hub", { token: null, label: null, device: undefined }, null],
    ["label", {}, "by-label"],
    ["label", { label: null }, "by-token"],
  ])("where the %s decides, with %j it is %s", (decidedBy, wishes, group) => {
    expect(groupAtEnrolment(decidedBy, { ...all, ...wishes })).toBe(group);
  });
});

describe("group and label", () => {
  const here = (group_name: string, home_group: string | null = null) => ({ id: "jetson-1", group_name, home_group });
  const one: LabelCase = {
    device: here("line-3"),
    node: "jetson-1",
    label: "line-3",
    decidedBy: "hub",
    pilotGroup: "pilot",
    defaultGroup: "default",
    hasGroup: (name) => ["line-3", "line-4", "pilot", "default"].includes(name),
  };
  const long = "x".repeat(64);
  test.each<[string, Partial<LabelCase>, object]>([
    ["agree", {}, { do: "nothing" }],
    ["the hub decides: a label that differs is written over", { label: "line-4" }, { do: "write", group: "line-3" }],
    ["the hub decides: a label that is missing is written", { label: null }, { do: "write", group: "line-3" }],
    ["default needs no label", { device: here("default"), label: null }, { do: "nothing" }],
    ["default is written over another", { device: here("default") }, { do: "write", group: "default" }],
    ["the pilot is for a while: the label says where home is", { device: here("pilot", "line-3") }, { do: "nothing" }],
    ["in the pilot, a new home is written", { device: here("pilot", "line-4") }, { do: "write", group: "line-4" }],
    ["who lives in the pilot is labelled so", { device: here("pilot") }, { do: "write", group: "pilot" }],
    ["pinned: home as well", { device: here("pinned.jetson-1", "line-3") }, { do: "nothing" }],
    ["pinned, and nobody knows from where", { device: here("pinned.jetson-1") }, { do: "nothing" }],
    ["a name that is no label's value", { device: here(long) }, { do: "complain" }],
    ["a name that ends with a dot", { device: here("line.") }, { do: "complain" }],
    ["the label decides: agree", { decidedBy: "label" }, { do: "nothing" }],
    ["the label decides: it moves", { decidedBy: "label", label: "line-4" }, { do: "move", group: "line-4" }],
    ["the label decides: without one, nothing", { decidedBy: "label", label: null }, { do: "nothing" }],
    [
      "the label decides: in the pilot it moves home only",
      { decidedBy: "label", label: "line-4", device: here("pilot", "line-3") },
      { do: "rehome", group: "line-4" },
    ],
    [
      "the label decides: moved into the pilot by hand, it gets a home",
      { decidedBy: "label", device: here("pilot") },
      { do: "rehome", group: "line-3" },
    ],
    [
      "the label decides: home is as it says",
      { decidedBy: "label", device: here("pinned.jetson-1", "line-3") },
      { do: "nothing" },
    ],
    ["the label decides: no such group", { decidedBy: "label", label: "lien-3" }, { do: "complain" }],
    ["the label decides: nobody is pinned by it", { decidedBy: "label", label: "pinned.x" }, { do: "complain" }],
  ])("%s", (_, more, step) => {
    expect(labelStep({ ...one, ...more })).toMatchObject(step);
  });
  test("home is where a stay ends", () => {
    expect(homeOf(here("line-3"))).toBe("line-3");
    expect(homeOf(here("pilot", "line-3"))).toBe("line-3");
    expect(homeOf(here("pinned.jetson-1"))).toBeNull();
  });
  test.each([
    ["hub", "line-3", "line-4", null],
    ["label", "line-3", "line-4", "line-3"],
    ["label", "line-3", "line-3", null],
    ["label", "line-3", "pilot", null],
    ["label", null, "line-4", null],
    ["label", "pinned.x", "line-4", null],
  ] as const)("where the %s decides and the label says %s, a move to %s is forbidden by %s", (by, label, to, named) => {
    expect(moveForbiddenBy(by, label, to, "pilot")).toBe(named);
  });
});

describe("what the API refused", () => {
  const nodes = { verb: "watch", resource: "nodes", namespace: null } as const;
  const pods = { verb: "list", resource: "pods", namespace: "edge" } as const;
  test.each([
    [nodes, { status: 403, detail: "" }, "CLUSTER_DENIED", /"watch" on "nodes" by a ClusterRole/],
    [pods, { status: 403, detail: "" }, "CLUSTER_DENIED", /"list" on "pods" by a Role in edge/],
    [nodes, { status: 401, detail: "" }, "CLUSTER_CREDENTIALS_REFUSED", /token/],
    [nodes, { status: 500, detail: "etcd" }, "CLUSTER_FAILED", /k3s server/],
    [nodes, { error: "ECONNREFUSED" }, "CLUSTER_UNREACHABLE", /k3s server runs/],
  ])("%j, %j is %s", (asked, failure, code, next) => {
    expect(refusalOf(asked, failure)).toMatchObject({ code, next_step: expect.stringMatching(next) });
  });
  test("pauses double up to a minute, and are spread", () => {
    expect([0, 1, 2, 3, 30].map((failures) => pauseAfterMs(failures, 1))).toEqual([0, 1_000, 2_000, 4_000, 60_000]);
    expect(pauseAfterMs(1, 0)).toBe(500);
  });
});
