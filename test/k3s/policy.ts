// What a pod of this project may have: the strictest there is, and beyond it the one directory and the host's network that an agent is for.
import type { KubernetesObject } from "./rendering.ts";

interface Container {
  name: string;
  image?: string;
  env?: { name: string; value?: string }[];
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  ports?: { hostPort?: number }[];
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: {
    privileged?: boolean;
    allowPrivilegeEscalation?: boolean;
    readOnlyRootFilesystem?: boolean;
    capabilities?: { add?: string[]; drop?: string[] };
  };
  startupProbe?: object;
  readinessProbe?: object;
  livenessProbe?: object;
}
export interface PodSpec {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext?: {
    runAsNonRoot?: boolean;
    runAsUser?: number;
    runAsGroup?: number;
    seccompProfile?: { type: string };
    sysctls?: unknown[];
  };
  initContainers?: Container[];
  containers: Container[];
  volumes?: { name: string; hostPath?: { path: string }; secret?: { defaultMode?: number } }[];
}
export interface Workload extends KubernetesObject {
  spec: { template: { metadata: { labels: Record<string, string> }; spec: PodSpec } };
}

/** The agent's, and nobody else's. */
const AGENT = "context-edge-agent";
const SHARED = "/opt/context-edge";

export const isWorkload = (object: KubernetesObject): object is Workload =>
  ["DaemonSet", "Deployment", "StatefulSet", "Job"].includes(object.kind);

/** @returns what it has and should not, or the other way round; a line each */
export function objections(workload: Workload): string[] {
  const { spec } = workload.spec.template;
  const { name } = workload.metadata;
  const isAgent = workload.kind === "DaemonSet" && name === AGENT;
  const { securityContext: pod = {} } = spec;
  const hostPaths = (spec.volumes ?? []).flatMap(({ hostPath }) => hostPath?.path ?? []);
  const rules: [boolean, string][] = [
    [pod.runAsNonRoot === true && (pod.runAsUser ?? 0) > 0 && (pod.runAsGroup ?? 0) > 0, "may run as root"],
    [pod.seccompProfile?.type === "RuntimeDefault", "has no seccomp profile"],
    [(pod.sysctls ?? []).length === 0, "changes the kernel's settings"],
    [spec.hostPID !== true && spec.hostIPC !== true, "sees its host's processes"],
    [spec.hostNetwork !== true || isAgent, "is in its host's network"],
    [hostPaths.every((path) => isAgent && path === SHARED), `has directories of its host: ${hostPaths.join(", ")}`],
    [spec.enableServiceLinks === false, "is told of every service in its environment"],
    [spec.automountServiceAccountToken !== undefined, "does not say whether it has a token"],
    [(spec.volumes ?? []).every(({ secret }) => !secret || secret.defaultMode === 0o440), "has secrets for everybody"],
  ];
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  return [
    ...rules.flatMap(([isKept, words]) => (isKept ? [] : [`${name} ${words}`])),
    ...containers.flatMap((container) => ofContainer(container).map((words) => `${name}/${container.name} ${words}`)),
  ];
}

function ofContainer({ image = "", ports = [], resources = {}, securityContext = {}, env = [] }: Container): string[] {
  const { capabilities = {} } = securityContext;
  const { requests = {}, limits = {} } = resources;
  const rules: [boolean, string][] = [
    [securityContext.privileged !== true, "is privileged"],
    [securityContext.allowPrivilegeEscalation === false, "may gain privileges"],
    [securityContext.readOnlyRootFilesystem === true, "may write to its own image"],
    [capabilities.drop?.includes("ALL") === true && (capabilities.add ?? []).length === 0, "has capabilities"],
    [ports.every(({ hostPort }) => hostPort === undefined), "takes ports of its host"],
    [["cpu", "memory"].every((of) => of in requests && of in limits), "has no bounds for CPU and memory"],
    [/:[^/]+$/.test(image) && !image.endsWith(":latest"), `has an image that may be another one tomorrow: ${image}`],
    [env.every(({ name, value }) => value === undefined || !/PASSWORD|SECRET_|_TOKEN$/.test(name)), "shows a secret"],
  ];
  return rules.flatMap(([isKept, words]) => (isKept ? [] : [words]));
}
