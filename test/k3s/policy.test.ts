// What the manifests may ask of a cluster, and that their parts fit together and to the programs.
import { Settings } from "@context-edge/agent/settings.ts";
import { helpOf } from "@context-edge/hub/help.ts";
import { describe, expect, test } from "vitest";
import { isWorkload, objections, type PodSpec, type Workload } from "./policy.ts";
import { type KubernetesObject, readAsWritten, readRendered, SOURCES } from "./rendering.ts";

type Labels = Record<string, string>;
interface Selecting extends KubernetesObject {
  spec: {
    podSelector?: { matchLabels?: Labels };
    selector?: Labels & { matchLabels?: Labels };
    policyTypes?: string[];
  };
}
interface WithData extends KubernetesObject {
  data: Record<string, string>;
}

const NAMES = Object.keys(SOURCES);
const isOf = (kind: string) => (object: KubernetesObject) => object.kind === kind;
const workloads = (name: string) => readRendered(name).filter(isWorkload);
const matches = (selector: Labels, labels: Labels) => Object.entries(selector).every(([key, is]) => labels[key] === is);
const podLabels = (workload: Workload) => workload.spec.template.metadata.labels;

const specOf = (name: string, workload: string): PodSpec => {
  const found = workloads(name).find(({ metadata }) => metadata.name === workload);
  if (!found) throw new Error(`${name} has no ${workload}`);
  return found.spec.template.spec;
};

test.each(NAMES)("%s: no pod has more than it needs", (name) => {
  expect(workloads(name).length).toBeGreaterThan(0);
  expect(workloads(name).flatMap(objections)).toEqual([]);
});

test("the job that restores a backup has no more than the hub", () => {
  expect(readAsWritten("k3s/jobs/restore.yaml").filter(isWorkload).flatMap(objections)).toEqual([]);
});

describe("the policy itself objects to", () => {
  const change: [string, (spec: PodSpec) => void][] = [
    ["may run as root", (spec) => (spec.securityContext = { runAsNonRoot: false })],
    ["has no seccomp profile", (spec) => delete spec.securityContext?.seccompProfile],
    ["sees its host's processes", (spec) => (spec.hostPID = true)],
    ["is in its host's network", (spec) => (spec.hostNetwork = true)],
    ["has directories of its host: /", (spec) => spec.volumes?.push({ name: "x", hostPath: { path: "/" } })],
    ["does not say whether it has a token", (spec) => delete spec.automountServiceAccountToken],
    ["has secrets for everybody", (spec) => spec.volumes?.push({ name: "x", secret: {} })],
    ["is privileged", ({ containers: [hub] }) => Object.assign(hub?.securityContext ?? {}, { privileged: true })],
    [
      "has capabilities",
      ({ containers: [hub] }) =>
        Object.assign(hub?.securityContext ?? {}, { capabilities: { drop: ["ALL"], add: ["X"] } }),
    ],
    ["may write to its own image", ({ containers: [hub] }) => delete hub?.securityContext?.readOnlyRootFilesystem],
    ["has no bounds for CPU and memory", ({ containers: [hub] }) => delete hub?.resources?.limits],
    [
      "has an image that may be another one tomorrow",
      ({ containers: [hub] }) => Object.assign(hub ?? {}, { image: "hub" }),
    ],
    ["shows a secret", ({ containers: [hub] }) => hub?.env?.push({ name: "POSTGRES_PASSWORD", value: "x" })],
  ];
  test.each(change)("a pod that %s", (words, spoil) => {
    const [hub] = workloads("single-node");
    if (!hub) throw new Error("there is no hub");
    spoil(hub.spec.template.spec);
    expect(objections(hub).join("\n")).toContain(words);
  });
});

describe.each(NAMES)("%s", (name) => {
  const objects = readRendered(name);

  test("every pod with a network of its own is closed but for what is allowed, both ways", () => {
    const everything = objects
      .filter(isOf("NetworkPolicy"))
      .map((object) => object as Selecting)
      .filter(({ spec }) => Object.keys(spec.podSelector?.matchLabels ?? {}).length === 0);
    for (const { metadata } of workloads(name)) {
      const closing = everything.filter((policy) => policy.metadata.namespace === metadata.namespace);
      expect(closing.flatMap(({ spec }) => spec.policyTypes ?? []).sort(), metadata.name).toEqual([
        "Egress",
        "Ingress",
      ]);
    }
  });

  test("whoever selects pods selects some", () => {
    for (const object of objects as Selecting[]) {
      const selector = object.kind === "Service" ? object.spec.selector : object.spec?.podSelector?.matchLabels;
      const ofBudget = object.kind === "PodDisruptionBudget" ? object.spec.selector?.matchLabels : undefined;
      const wanted = ofBudget ?? (isWorkload(object) ? undefined : selector);
      if (wanted === undefined) continue;
      const inPlace = workloads(name).filter(({ metadata }) => metadata.namespace === object.metadata.namespace);
      const found = inPlace.filter((workload) => matches(wanted, podLabels(workload)));
      expect(found.length, `${object.kind} ${object.metadata.name}`).toBeGreaterThan(0);
    }
  });

  test("settings come from a map that is there, and every one is a setting of the program", () => {
    const maps = objects.filter(isOf("ConfigMap")).map((object) => object as WithData);
    const ours = workloads(name).filter(({ metadata }) => /-(hub|agent)$/.test(metadata.name));
    expect(ours).toHaveLength(1);
    for (const { spec } of ours.map((workload) => workload.spec.template)) {
      const [container] = spec.containers;
      const from = (container?.envFrom ?? []).flatMap(({ configMapRef }) => configMapRef?.name ?? []);
      const data = from.map((map) => maps.find(({ metadata }) => metadata.name === map)?.data);
      expect(data).toEqual([expect.any(Object)]);
      const settings = [...Object.keys(data[0] ?? {}), ...(container?.env ?? []).map((one) => one.name)];
      expect(settings.length).toBeGreaterThan(5);
      const known = (setting: string) =>
        setting.startsWith("AGENT_") ? setting in Settings.shape : new RegExp(`\\b${setting}\\b`).test(helpOf());
      expect(settings.filter((setting) => !known(setting))).toEqual([]);
    }
  });

  test("every object with a namespace is in one that is here, or in that of the inference pods", () => {
    const here = new Set(objects.filter(isOf("Namespace")).map(({ metadata }) => metadata.name));
    const elsewhere = objects.flatMap(({ metadata }) => metadata.namespace ?? []).filter((one) => !here.has(one));
    expect(new Set(elsewhere)).toEqual(new Set(name === "edge-with-pods" ? ["inference"] : []));
  });
});

test("the hub is held to the strictest Pod Security level, the agents alone are not", () => {
  const levels = Object.fromEntries(
    ["single-node", "edge"].flatMap((name) =>
      readRendered(name)
        .filter(isOf("Namespace"))
        .map(({ metadata }) => [metadata.name, metadata.labels?.["pod-security.kubernetes.io/enforce"]]),
    ),
  );
  expect(levels).toEqual({ "context-edge": "restricted", "context-edge-agents": "privileged" });
});

test("an end is given the time that it may take: the hub's own, and the agent's after the wait for its swap", () => {
  const seconds = (name: string, setting: string, fallback: number) => {
    const maps = readRendered(name).filter(isOf("ConfigMap")) as WithData[];
    return Number(maps.flatMap(({ data }) => data[setting] ?? [])[0] ?? fallback);
  };
  for (const name of ["single-node", "ha"]) {
    const grace = specOf(name, "context-edge-hub").terminationGracePeriodSeconds ?? 0;
    expect(grace, name).toBeGreaterThan(seconds(name, "HUB_SHUTDOWN_SECONDS", 15));
  }
  const agent = specOf("edge", "context-edge-agent");
  const wait = /until-settled\.ts","(\d+)"/.exec(JSON.stringify(agent))?.[1];
  expect(agent.terminationGracePeriodSeconds).toBeGreaterThan(Number(wait) + 10);
});
