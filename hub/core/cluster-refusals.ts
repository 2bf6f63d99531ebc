// What the Kubernetes API refused, in words, with the line of RBAC that is missing.
import type { ClusterProblem } from "@context-edge/protocol";

/** One thing that is asked of the API. */
export interface Asked {
  verb: "list" | "watch" | "patch";
  resource: "nodes" | "pods";
  /** Null for what belongs to the whole cluster. */
  namespace: string | null;
}

/** No answer, or one with a status of HTTP. */
export type Failure = { status: number; detail: string } | { error: string };

export type Refusal = Omit<ClusterProblem, "since">;

export const wordsOf = ({ verb, resource, namespace }: Asked): string =>
  `${verb} ${resource}${namespace === null ? "" : ` in namespace ${namespace}`}`;

export function refusalOf(asked: Asked, failure: Failure): Refusal {
  const what = wordsOf(asked);
  const refusal = (code: Refusal["code"], message: string, next_step: string): Refusal => ({
    code,
    asked: what,
    message,
    next_step,
  });
  if ("error" in failure)
    return refusal(
      "CLUSTER_UNREACHABLE",
      `The Kubernetes API cannot be reached to ${what}: ${failure.error}`,
      "Check that the k3s server runs, and that no NetworkPolicy or firewall is between; the hub tries again.",
    );
  const { status, detail } = failure;
  const { verb, resource, namespace } = asked;
  if (status === 403)
    return refusal(
      "CLUSTER_DENIED",
      `The hub's service account may not ${what}`,
      `Give it the verb "${verb}" on "${resource}" by a ${namespace === null ? "ClusterRole" : `Role in ${namespace}`} and its binding (docs/k3s-cluster.md), or set HUB_CLUSTER=off; the hub tries again.`,
    );
  if (status === 401)
    return refusal(
      "CLUSTER_CREDENTIALS_REFUSED",
      `The Kubernetes API does not accept the hub's credentials to ${what}`,
      "Restart the hub's pod for a new service account token, or renew the kubeconfig; check the clocks of node and server.",
    );
  return refusal(
    "CLUSTER_FAILED",
    `The Kubernetes API answered ${status} to ${what}${detail === "" ? "" : `: ${detail}`}`,
    "Look at the k3s server; the hub tries again.",
  );
}
