// How a pod reaches the API of its own cluster: what the kubelet mounts and sets (Kubernetes, "Accessing the API from a Pod").
import { readFile } from "node:fs/promises";
import { join } from "node:path";

export interface ClusterAccess {
  url: string;
  namespace: string;
  token: string;
  /** PEM of the cluster's authority; null for plain HTTP. */
  ca: string | null;
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** @throws when this is no pod, or its service account is not mounted */
export async function clusterAccess(
  environment: NodeJS.ProcessEnv,
  namespace: string | undefined,
  directory = SERVICE_ACCOUNT,
): Promise<ClusterAccess> {
  const host = environment["KUBERNETES_SERVICE_HOST"];
  const port = environment["KUBERNETES_SERVICE_PORT"] ?? "443";
  if (host === undefined) throw new Error("KUBERNETES_SERVICE_HOST is not set");
  const read = async (name: string) => (await readFile(join(directory, name), "utf8")).trim();
  return {
    url: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    namespace: namespace ?? (await read("namespace")),
    token: await read("token"),
    ca: await read("ca.crt"),
  };
}
