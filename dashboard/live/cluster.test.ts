// Nodes in trouble, worst first; and a look that is repeated while somebody looks, unless there is no cluster.
import { expect, test } from "vitest";
import type { ClusterNode, ClusterView, NodeTroubleCode } from "@context-edge/protocol";
import { ClusterLook, nodesInTrouble, troublesOfDevice } from "./cluster.ts";

const node = (name: string, ...codes: NodeTroubleCode[]): ClusterNode => ({
  name,
  ready: true,
  cordoned: false,
  agent: "ready",
  device: name,
  label_group: null,
  group: "default",
  troubles: codes.map((code) => ({ code, message: `${name} ${code}`, next_step: "look" })),
});
const view = (state: ClusterView["state"], nodes: ClusterNode[] = []): ClusterView => ({
  state,
  why_off: null,
  groups_decided_by: "hub",
  problems: [],
  nodes,
});

test("nodes in trouble come worst first, and those without are left out", () => {
  const nodes = [node("a"), node("b", "CORDONED"), node("c", "CORDONED", "NO_AGENT"), node("d", "NOT_READY")];
  expect(nodesInTrouble({ nodes }).map(({ name }) => name)).toEqual(["d", "c", "b"]);
  expect(troublesOfDevice({ nodes }, "b").map(({ code }) => code)).toEqual(["CORDONED"]);
  expect(troublesOfDevice({ nodes }, "nobody")).toEqual([]);
});

function openLook(answers: (ClusterView | Error)[]) {
  const host = { updates: 0, addController: () => undefined, removeController: () => undefined };
  const timers = new Set<() => void>();
  const look = new ClusterLook(
    { ...host, requestUpdate: () => void (host.updates += 1), updateComplete: Promise.resolve(true) },
    {
      async fetch() {
        const answer = answers.shift();
        if (answer === undefined || answer instanceof Error) throw answer ?? new Error("asked too often");
        return answer;
      },
      every(_periodMs, work) {
        timers.add(work);
        return () => timers.delete(work);
      },
    },
  );
  return { look, timers, host };
}

test("what could not be asked keeps what was seen, and the next look mends it", async () => {
  const { look, timers } = openLook([view("seen", [node("a")]), new Error("away"), view("partly")]);
  look.hostConnected();
  await look.look();
  expect([look.view?.nodes.length, look.failure?.message]).toEqual([1, "away"]);
  await look.look();
  expect([look.view?.state, look.failure]).toEqual(["partly", null]);
  look.hostDisconnected();
  expect(timers.size).toBe(0);
});

test("without a cluster it is asked once", async () => {
  const { look, timers, host } = openLook([view("off"), view("off")]);
  look.hostConnected();
  expect(timers.size).toBe(1);
  await look.look();
  expect([look.view?.state, timers.size]).toEqual(["off", 0]);
  expect(host.updates).toBeGreaterThan(0);
});
