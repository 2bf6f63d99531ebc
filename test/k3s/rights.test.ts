// Who may ask the cluster for what: written down once more, so that a change is a decision, and compared with what the agent asks for.
import { readFileSync } from "node:fs";
import type { Http } from "@context-edge/agent/effects/http.ts";
import { nodePods, Pod } from "@context-edge/agent/effects/reloaders/cluster.ts";
import { expect, test } from "vitest";
import { isWorkload } from "./policy.ts";
import { type KubernetesObject, readRendered, SOURCES } from "./rendering.ts";

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}
interface RoleObject extends KubernetesObject {
  rules: Rule[];
}
interface Binding extends KubernetesObject {
  roleRef: { kind: string; name: string };
  subjects: { kind: string; name: string; namespace: string }[];
}
const GOLDEN = JSON.parse(readFileSync(new URL("rights.golden.json", import.meta.url), "utf8")) as Record<
  string,
  string[]
>;
const NAMES = Object.keys(SOURCES);

/** A line per right: who, may what, with what, where. */
function rightsIn(objects: readonly KubernetesObject[]): string[] {
  const ofKind = (kind: RegExp) => objects.filter((object) => kind.test(object.kind));
  const roles = ofKind(/^(Cluster)?Role$/) as RoleObject[];
  return (ofKind(/^(Cluster)?RoleBinding$/) as Binding[]).flatMap(({ metadata, roleRef, subjects }) => {
    const role = roles.find(
      (one) =>
        one.kind === roleRef.kind &&
        one.metadata.name === roleRef.name &&
        (roleRef.kind === "ClusterRole" || one.metadata.namespace === metadata.namespace),
    );
    if (!role) throw new Error(`${metadata.name} binds ${roleRef.kind} ${roleRef.name}, which is not here`);
    const place = metadata.namespace === undefined ? "everywhere" : `in ${metadata.namespace}`;
    return subjects.flatMap((subject) =>
      role.rules.map(({ apiGroups, resources, verbs, resourceNames }) => {
        const what = resources.map((resource, index) => [apiGroups[index] || null, resource].filter(Boolean).join("/"));
        const which = resourceNames === undefined ? "" : ` named ${resourceNames.join(", ")}`;
        return `${subject.namespace}/${subject.name}: ${verbs.join(", ")} ${what.join(", ")}${which} ${place}`;
      }),
    );
  });
}

test.each(NAMES)("%s: nobody may more than is written down", (name) => {
  expect(rightsIn(readRendered(name))).toEqual(GOLDEN[name]);
});

test.each(NAMES)("%s: a token is in the pods of those alone who have a right", (name) => {
  const objects = readRendered(name);
  const withRights = new Set(rightsIn(objects).map((line) => line.split(":")[0]));
  for (const { metadata, spec } of objects.filter(isWorkload)) {
    const { serviceAccountName, automountServiceAccountToken } = spec.template.spec;
    const account = `${metadata.namespace}/${serviceAccountName}`;
    expect(automountServiceAccountToken, metadata.name).toBe(withRights.has(account));
  }
});

test("the agent asks for what it may, and may what it asks for", async () => {
  const asked = new Set<string>();
  const http: Http = {
    request: ({ method, url }) => {
      const { pathname } = new URL(url);
      // Whoever is signed in may ask what they may: no role is needed for that.
      if (pathname.startsWith("/api/")) asked.add(verbOf(method, pathname));
      const body = JSON.stringify({ items: [], status: { allowed: true } });
      return Promise.resolve({ ok: true, status: 200, headers: {}, body, bytes: Buffer.from(body) });
    },
  };
  const access = () => Promise.resolve({ url: "https://cluster", token: "t", ca: null, namespace: "inference" });
  const pods = nodePods(http, { selector: "app=inference", node: "jetson-1", access });
  const soon = performance.now() + 5_000;
  const { signal } = new AbortController();
  await pods.list(soon, signal);
  await pods.mayDelete(soon, signal);
  await pods.remove(Pod.parse({ metadata: { name: "a", uid: "u" }, spec: {} }), soon, signal);

  const may = (rightsIn(readRendered("edge-with-pods"))[0] ?? "").match(/: (.*) pods in inference$/)?.[1]?.split(", ");
  expect(may?.sort()).toEqual([...asked].sort());
});

/** As the API server names a request (Kubernetes, "Determine the Request Verb"). */
function verbOf(method: string, path: string): string {
  const isOne = /\/pods\/[^/]+$/.test(path);
  if (method === "DELETE") return isOne ? "delete" : "deletecollection";
  return isOne ? "get" : "list";
}
