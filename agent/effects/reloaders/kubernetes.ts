// Reloads by deleting the inference pods of this node, and waiting for new ones to be ready. Needs list and delete on pods.
import { z } from "zod";
import { describe } from "../../errors.ts";
import type { Http } from "../http.ts";
import { pause } from "../pause.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { notNow, reloadFailed, type Reloader } from "./reloader.ts";

/** As much of a pod as is needed (core/v1). */
const Pod = z.object({
  metadata: z.object({ name: z.string(), uid: z.string(), deletionTimestamp: z.string().optional() }),
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
});
type Pod = z.infer<typeof Pod>;
const PodList = z.object({ items: z.array(Pod) });
/** `SelfSubjectAccessReview` (authorization.k8s.io/v1): whoever is asking may always ask this. */
const Review = z.object({ status: z.object({ allowed: z.boolean() }) });

export interface KubernetesSettings {
  selector: string;
  node: string;
  /** The cluster as this pod reaches it; read anew for every reload, since tokens are renewed on disk. */
  access: () => Promise<ClusterAccess>;
}

type Answered<T> = { ok: true; value: T } | { ok: false; message: string };

const LOOK_EVERY_MS = 500;
const CALL_MS = 10_000;
const ACCESS_STEP = "Check the cluster's API, and that the agent's service account may list and delete pods there.";
const PODS_STEP = "Check AGENT_KUBERNETES_SELECTOR and AGENT_NODE_NAME, and that the inference pod is scheduled here.";

export function kubernetesReloader(http: Http, settings: KubernetesSettings): Reloader {
  const { selector, node } = settings;

  const call = (
    access: ClusterAccess,
    method: "GET" | "DELETE" | "POST",
    path: string,
    signal: AbortSignal,
    json?: object,
  ) =>
    http.request({
      method,
      url: new URL(path, access.url).href,
      headers: { authorization: `Bearer ${access.token}` },
      ...(json === undefined ? {} : { json }),
      ...(access.ca === null ? {} : { authority: access.ca }),
      deadlineMs: CALL_MS,
      signal,
    });

  const list = async (access: ClusterAccess, signal: AbortSignal): Promise<Answered<Pod[]>> => {
    const query = new URLSearchParams({ labelSelector: selector, fieldSelector: `spec.nodeName=${node}` });
    const answer = await call(access, "GET", `/api/v1/namespaces/${access.namespace}/pods?${query.toString()}`, signal);
    if (!answer.ok) return { ok: false, message: `the Kubernetes API cannot be reached: ${answer.message}` };
    if (answer.status !== 200)
      return { ok: false, message: refusal("list", access.namespace, answer.status, answer.body) };
    const parsed = PodList.safeParse(parseJson(answer.body));
    if (!parsed.success) return { ok: false, message: "the Kubernetes API answered something unexpected" };
    // Whatever a server makes of the selector: pods of other nodes are none of ours.
    return { ok: true, value: parsed.data.items.filter((pod) => pod.spec.nodeName === node) };
  };

  /** A cluster that cannot be asked does not forbid: the deletion itself will tell. */
  const mayDelete = async (access: ClusterAccess, signal: AbortSignal): Promise<boolean> => {
    const resourceAttributes = { namespace: access.namespace, verb: "delete", resource: "pods" };
    const review = { kind: "SelfSubjectAccessReview", apiVersion: "authorization.k8s.io/v1" };
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const answer = await call(access, "POST", path, signal, { ...review, spec: { resourceAttributes } });
    const parsed = Review.safeParse(answer.ok ? parseJson(answer.body) : undefined);
    return !parsed.success || parsed.data.status.allowed;
  };

  return {
    takes: "at-once",
    async obstacle(signal) {
      const access = await settings.access().catch((error: unknown) => describe(error));
      if (typeof access === "string") return notNow(`this pod has no access to its cluster: ${access}`, ACCESS_STEP);
      const pods = await list(access, signal);
      if (!pods.ok) return notNow(pods.message, ACCESS_STEP);
      if (pods.value.length === 0) return notNow(`no pod with ${selector} runs on ${node}`, PODS_STEP);
      if (await mayDelete(access, signal)) return null;
      return notNow(refusal("delete", access.namespace, 403, ""), ACCESS_STEP);
    },
    async reload({ file, budgetMs }, signal) {
      const deadline = performance.now() + budgetMs;
      const access = await settings.access().catch((error: unknown) => describe(error));
      if (typeof access === "string") return reloadFailed(`this pod has no access to its cluster: ${access}`);
      const before = await list(access, signal);
      if (!before.ok) return reloadFailed(before.message);
      if (before.value.length === 0) return reloadFailed(`no pod with ${selector} runs on ${node}`);
      for (const { metadata } of before.value) {
        const path = `/api/v1/namespaces/${access.namespace}/pods/${encodeURIComponent(metadata.name)}`;
        const answer = await call(access, "DELETE", path, signal, { preconditions: { uid: metadata.uid } });
        if (!answer.ok) return reloadFailed(`the Kubernetes API cannot be reached: ${answer.message}`);
        // Gone, or replaced under the same name: evicted in between, which is what was wanted.
        const isDone = answer.status < 300 || answer.status === 404 || answer.status === 409;
        if (!isDone) return reloadFailed(refusal("delete", access.namespace, answer.status, answer.body));
      }
      const old = new Set(before.value.map((pod) => pod.metadata.uid));
      // A service that shall serve nothing starts again and finds no link; that is for the service to bear.
      if (file === null) return { ok: true };
      for (;;) {
        const now = await list(access, signal);
        const fresh = now.ok ? now.value.filter((pod) => !old.has(pod.metadata.uid)) : [];
        // A pod that is still ending answers too, with the old file.
        const isOldGone = now.ok && fresh.length === now.value.length;
        if (isOldGone && fresh.some(isReady)) return { ok: true };
        if (performance.now() >= deadline) {
          const late = isOldGone
            ? `no new pod with ${selector} became ready`
            : `the old pod with ${selector} did not end`;
          return reloadFailed(now.ok ? `${late} on ${node} in time` : now.message);
        }
        await pause(LOOK_EVERY_MS, signal);
        signal.throwIfAborted();
      }
    },
  };
}

function isReady({ metadata, status }: Pod): boolean {
  const isReadyNow = status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True");
  return isReadyNow && metadata.deletionTimestamp === undefined;
}

function refusal(verb: "list" | "delete", namespace: string, status: number, body: string): string {
  if (status === 403)
    return `the agent may not ${verb} pods in namespace ${namespace}: give its service account that verb`;
  if (status === 401) return "the cluster does not accept the agent's service account token";
  return `the Kubernetes API answered ${status} to ${verb} pods: ${body.slice(0, 200)}`;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
