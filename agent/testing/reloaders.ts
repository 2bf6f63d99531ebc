// Reloaders over fakes: a cluster of one namespace, and a Triton that answers as a test wants it.
import { http } from "../effects/http.ts";
import { kubernetesReloader } from "../effects/reloaders/kubernetes.ts";
import type { Reloader } from "../effects/reloaders/reloader.ts";
import { tritonReloader } from "../effects/reloaders/triton.ts";
import type { FakeKubernetes } from "./fake-kubernetes.ts";
import { loopbackServer } from "./loopback-server.ts";

export const kubernetesOf = (cluster: FakeKubernetes, namespace = "edge"): Reloader =>
  kubernetesReloader(http({}), {
    selector: "app=inference",
    node: "jetson-1",
    access: () => Promise.resolve({ url: cluster.url, namespace, token: "service-account", ca: null }),
  });

export async function tritonThat(
  answers: (path: string) => { status: number; body?: unknown } | null,
): Promise<Reloader> {
  const url = await loopbackServer((request, response) => {
    const answer = answers(`${request.method} ${request.url}`);
    if (answer)
      response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  });
  return tritonReloader(http({}), url, "default");
}
/** A Triton whose model stands like this after a load. */
export const loads =
  (state: string, reason = "") =>
  (path: string) => {
    if (path.endsWith("/index")) return { status: 200, body: [{ name: "default", version: "1", state, reason }] };
    return { status: path.startsWith("GET") ? 400 : 200 };
  };
