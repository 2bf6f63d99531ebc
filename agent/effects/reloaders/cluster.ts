// The pods of one node by the Kubernetes API: list and delete, with refusals in words and busy servers waited for.
import { z } from "zod";
import { describe } from "../../errors.ts";
import { headerOf, type Http, type HttpReply } from "../http.ts";
import { pause } from "../pause.ts";
import type { ClusterAccess } from "./cluster-access.ts";

const Waiting = z.object({ reason: z.string().optional(), message: z.string().optional() });
const ContainerStatus = z.object({
  name: z.string().default(""),
  restartCount: z.number().default(0),
  state: z.object({ waiting: Waiting.optional() }).default({}),
  lastState: z.object({ terminated: z.object({ reason: z.string().optional() }).optional() }).default({}),
});
/** As much of a pod as is needed (core/v1). */
export const Pod = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
    ownerReferences: z.array(z.object({ controller: z.boolean().optional() })).default([]),
  }),
  spec: z.object({ nodeName: z.string().optional() }),
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      initContainerStatuses: z.array(ContainerStatus).default([]),
      containerStatuses: z.array(ContainerStatus).default([]),
    })
    .default({ conditions: [], initContainerStatuses: [], containerStatuses: [] }),
});
export type Pod = z.infer<typeof Pod>;
/** `SelfSubjectAccessReview` (authorization.k8s.io/v1): whoever is asking may always ask this. */
const Review = z.object({ status: z.object({ allowed: z.boolean() }) });
const PodList = z.object({ items: z.array(Pod) });

export interface KubernetesSettings {
  selector: string;
  node: string;
  /** The cluster as this pod reaches it; read anew for every call, since the kubelet renews tokens on disk. */
  access: () => Promise<ClusterAccess>;
}

export interface Refusal {
  ok: false;
  message: string;
  nextStep: string;
  detail: string;
}

export interface NodePods {
  list(deadline: number, signal: AbortSignal): Promise<{ ok: true; pods: Pod[] } | Refusal>;
  /** A pod that is gone already, or another one under the same name, is left alone: that is what was wanted. */
  remove(pod: Pod, deadline: number, signal: AbortSignal): Promise<{ ok: true } | Refusal>;
  /** @returns the refusal that a deletion would meet; null as well when the cluster does not say */
  mayDelete(deadline: number, signal: AbortSignal): Promise<Refusal | null>;
}

const CALL_MS = 10_000;
const BUSY_WAIT_MS = 1_000;
/** Too many requests; and a list that was too old for the server to go on with, which begins anew. */
const AGAIN: readonly number[] = [410, 429];

export function nodePods(http: Http, { selector, node, access }: KubernetesSettings): NodePods {
  interface Call {
    method: "GET" | "DELETE" | "POST";
    path: (namespace: string) => string;
    json?: (namespace: string) => object;
  }
  const podsOf = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`;
  const call = async (
    { method, path, json }: Call,
    deadline: number,
    signal: AbortSignal,
  ): Promise<{ ok: true; namespace: string; reply: HttpReply } | Refusal> => {
    for (;;) {
      const to = await access().catch((error: unknown) => describe(error));
      if (typeof to === "string") return noAccess(to);
      const reply = await http.request({
        method,
        url: new URL(path(to.namespace), to.url).href,
        headers: { authorization: `Bearer ${to.token}`, accept: "application/json" },
        ...(json === undefined ? {} : { json: json(to.namespace) }),
        ...(to.ca === null ? {} : { authority: to.ca }),
        deadlineMs: Math.max(1, Math.ceil(Math.min(CALL_MS, deadline - performance.now()))),
        signal,
      });
      if (!reply.ok) return unreachable(reply.message, reply.nextStep);
      const waitMs = retryAfterMs(reply);
      if (!AGAIN.includes(reply.status) || performance.now() + waitMs >= deadline) {
        return { ok: true, namespace: to.namespace, reply };
      }
      await pause(waitMs, signal);
      signal.throwIfAborted();
    }
  };

  return {
    async list(deadline, signal) {
      const query = new URLSearchParams({ labelSelector: selector, fieldSelector: `spec.nodeName=${node}` });
      const path = (namespace: string) => `${podsOf(namespace)}?${query.toString()}`;
      const answer = await call({ method: "GET", path }, deadline, signal);
      if (!answer.ok) return answer;
      const { reply, namespace } = answer;
      if (reply.status !== 200) return refusal("list", namespace, reply);
      const parsed = PodList.safeParse(parseJson(reply.body));
      if (!parsed.success) return strange(reply.body);
      // Whatever a server makes of the selector: pods of other nodes are none of ours.
      return { ok: true, pods: parsed.data.items.filter((pod) => pod.spec.nodeName === node) };
    },
    async remove({ metadata: { name, uid } }, deadline, signal) {
      const json = () => ({ apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid } });
      const path = (namespace: string) => `${podsOf(namespace)}/${encodeURIComponent(name)}`;
      const answer = await call({ method: "DELETE", path, json }, deadline, signal);
      if (!answer.ok) return answer;
      const { status } = answer.reply;
      // 404: evicted in between. 409: the precondition failed, so it was replaced under the same name.
      if (status < 300 || status === 404 || status === 409) return { ok: true };
      return refusal("delete", answer.namespace, answer.reply);
    },
    async mayDelete(deadline, signal) {
      const path = () => "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
      const json = (namespace: string) => ({
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { namespace, verb: "delete", resource: "pods" } },
      });
      const answer = await call({ method: "POST", path, json }, deadline, signal);
      if (!answer.ok) return null;
      const { namespace, reply } = answer;
      const parsed = Review.safeParse(parseJson(reply.body));
      return parsed.success && !parsed.data.status.allowed
        ? refusal("delete", namespace, { ...reply, status: 403 })
        : null;
    },
  };
}

function retryAfterMs({ headers }: HttpReply): number {
  const seconds = Number(headerOf(headers, "retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : BUSY_WAIT_MS;
}

function refusal(verb: "list" | "delete", namespace: string, { status, body }: HttpReply): Refusal {
  const detail = body.slice(0, 1_000);
  if (status === 403) {
    const message = `the agent may not ${verb} pods in namespace ${namespace}`;
    const nextStep = `Give the agent's service account the verbs list and delete on pods, by a Role in ${namespace}; a resource quota or an admission webhook may forbid it too.`;
    return { ok: false, message, nextStep, detail };
  }
  if (status === 401) {
    const message = "the cluster does not accept the agent's service account token";
    return { ok: false, message, nextStep: "Restart the agent's pod; check the clocks of node and server.", detail };
  }
  const message = `the Kubernetes API answered ${status} to ${verb} pods in namespace ${namespace}`;
  return { ok: false, message, nextStep: "Look at the Kubernetes server; the agent tries again.", detail };
}

const noAccess = (why: string): Refusal => ({
  ok: false,
  message: `this agent has no access to a cluster: ${why}`,
  nextStep: "Run the agent as a pod with automountServiceAccountToken, or choose another AGENT_RELOADER.",
  detail: "",
});

const unreachable = (message: string, nextStep: string): Refusal => ({
  ok: false,
  message: `the Kubernetes API cannot be reached: ${message}`,
  nextStep: nextStep === "" ? "Check that the k3s server runs; the agent tries again." : nextStep,
  detail: "",
});

const strange = (body: string): Refusal => ({
  ok: false,
  message: "the Kubernetes API answered something that is no list of pods",
  nextStep: "Check what answers at KUBERNETES_SERVICE_HOST.",
  detail: body.slice(0, 1_000),
});

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
