// A Kubernetes API of one namespace: lists and deletes pods, and has deleted ones replaced, as a DaemonSet would.
import { randomUUID } from "node:crypto";
import { loopbackServer } from "./loopback-server.ts";

export interface FakePod {
  name: string;
  uid: string;
  node: string;
  labels: string;
  isReady: boolean;
}

export interface FakeKubernetes {
  url: string;
  pods: FakePod[];
  deleted: string[];
  /** Methods of all requests. */
  asked: string[];
  /** Answers this status to requests with this method; null: as usual. */
  refuse: { method: string; status: number } | null;
  /** Whether pods that replace deleted ones become ready. */
  willBeReady: boolean;
  /** Deleted pods stay in the list, as while their grace period runs. */
  isLingering: boolean;
}

export async function fakeKubernetes(nodes: readonly string[]): Promise<FakeKubernetes> {
  const pod = (node: string, isReady: boolean): FakePod => ({
    name: `inference-${node}`,
    uid: randomUUID(),
    node,
    labels: "app=inference",
    isReady,
  });
  const fake: FakeKubernetes = {
    url: "",
    pods: nodes.map((node) => pod(node, true)),
    deleted: [],
    asked: [],
    refuse: null,
    willBeReady: true,
    isLingering: false,
  };
  fake.url = await loopbackServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://cluster");
    fake.asked.push(request.method ?? "");
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== "Bearer service-account") return send(401, { reason: "Unauthorized" });
    if (url.pathname.endsWith("/selfsubjectaccessreviews"))
      return send(201, { status: { allowed: fake.refuse?.method !== "DELETE" } });
    if (fake.refuse !== null && fake.refuse.method === request.method)
      return send(fake.refuse.status, { reason: "Forbidden" });
    const name = /^\/api\/v1\/namespaces\/edge\/pods(?:\/(?<name>[^/]+))?$/.exec(url.pathname)?.groups?.["name"];
    if (request.method === "DELETE") {
      const found = fake.pods.find((one) => one.name === name);
      if (!found) return send(404, { reason: "NotFound" });
      fake.deleted.push(found.name);
      const staying = fake.pods.filter((one) => fake.isLingering || one !== found);
      fake.pods = [...staying, pod(found.node, fake.willBeReady)];
      return send(200, {});
    }
    const selector = url.searchParams.get("labelSelector");
    const node = /^spec\.nodeName=(.+)$/.exec(url.searchParams.get("fieldSelector") ?? "")?.[1];
    const items = fake.pods.filter((one) => one.labels === selector && (node === undefined || one.node === node));
    return send(200, { kind: "PodList", items: items.map(resourceOf) });
  });
  return fake;
}

function resourceOf({ name, uid, node, isReady }: FakePod) {
  return {
    metadata: { name, uid },
    spec: { nodeName: node },
    status: { conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
  };
}
