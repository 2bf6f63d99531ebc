// Whether an object is what the Kubernetes API takes: types and what is required by its OpenAPI schemas, and no field that it does not know.
import { isDeepStrictEqual } from "node:util";
import { dumpYaml, loadYaml } from "@kubernetes/client-node";
import { DaemonSet } from "kubernetes-models/apps/v1/DaemonSet";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { Job } from "kubernetes-models/batch/v1/Job";
import { Ingress } from "kubernetes-models/networking.k8s.io/v1/Ingress";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { ClusterRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole";
import { ClusterRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding";
import { Role } from "kubernetes-models/rbac.authorization.k8s.io/v1/Role";
import { RoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding";
import { PriorityClass } from "kubernetes-models/scheduling.k8s.io/v1/PriorityClass";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Namespace } from "kubernetes-models/v1/Namespace";
import { PersistentVolumeClaim } from "kubernetes-models/v1/PersistentVolumeClaim";
import { Service } from "kubernetes-models/v1/Service";
import { Secret } from "kubernetes-models/v1/Secret";
import { ServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { parse, stringify } from "yaml";
import type { KubernetesObject } from "./rendering.ts";

const MODELS: Record<string, (object: never) => { validate(): void }> = {
  "apps/v1 DaemonSet": (object) => new DaemonSet(object),
  "apps/v1 Deployment": (object) => new Deployment(object),
  "apps/v1 StatefulSet": (object) => new StatefulSet(object),
  "batch/v1 Job": (object) => new Job(object),
  "networking.k8s.io/v1 Ingress": (object) => new Ingress(object),
  "networking.k8s.io/v1 NetworkPolicy": (object) => new NetworkPolicy(object),
  "policy/v1 PodDisruptionBudget": (object) => new PodDisruptionBudget(object),
  "rbac.authorization.k8s.io/v1 ClusterRole": (object) => new ClusterRole(object),
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": (object) => new ClusterRoleBinding(object),
  "rbac.authorization.k8s.io/v1 Role": (object) => new Role(object),
  "rbac.authorization.k8s.io/v1 RoleBinding": (object) => new RoleBinding(object),
  "scheduling.k8s.io/v1 PriorityClass": (object) => new PriorityClass(object),
  "v1 ConfigMap": (object) => new ConfigMap(object),
  "v1 Namespace": (object) => new Namespace(object),
  "v1 PersistentVolumeClaim": (object) => new PersistentVolumeClaim(object),
  "v1 Secret": (object) => new Secret(object),
  "v1 Service": (object) => new Service(object),
  "v1 ServiceAccount": (object) => new ServiceAccount(object),
};

/** @returns what is wrong with it, a line each */
export function wrongWith(object: KubernetesObject): string[] {
  const name = `${object.kind} ${object.metadata.name}`;
  const model = MODELS[`${object.apiVersion} ${object.kind}`];
  if (!model) return [`${name}: no schema of ${object.apiVersion} ${object.kind} is known here`];
  const wrong: string[] = [];
  try {
    model(object as never).validate();
  } catch (error) {
    wrong.push(`${name}: ${String(error)}`);
  }
  return [...wrong, ...unknownFields(object).map((path) => `${name}: Kubernetes knows no field ${path}`)];
}

/** The schemas allow what they do not name. Kubernetes' own client does not: what it drops on the way through, the API would drop or refuse. */
function unknownFields(object: KubernetesObject): string[] {
  const known: unknown = parse(dumpYaml(loadYaml(stringify(object))));
  return lost(object, known, "");
}

function lost(before: unknown, after: unknown, path: string): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (typeof before !== "object" || before === null || typeof after !== "object" || after === null) return [path];
  const left = new Map<string, unknown>(Object.entries(after));
  return Object.entries(before).flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return left.has(key) ? lost(value, left.get(key), at) : [at];
  });
}
