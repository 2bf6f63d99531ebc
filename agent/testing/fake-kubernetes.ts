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
  };
  fake.url = await loopbackServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://cluster");
    fake.asked.push(request.method ?? "");
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== "Bearer service-account") return send(401, { reason: "Unauthorized" });
    if (fake.refuse !== null && fake.refuse.method === request.method)
      return send(fake.refuse.status, { reason: "Forbidden" });
    const name = /^\/api\/v1\/namespaces\/edge\/pods(?:\/(?<name>[^/]+))?$/.exec(url.pathname)?.groups?.["name"];
    if (request.method === "DELETE") {
      const found = fake.pods.find((one) => one.name === name);
      if (!found) return send(404, { reason: "NotFound" });
      fake.deleted.push(found.name);
      fake.pods = [...fake.pods.filter((one) => one !== found), pod(found.node, fake.willBeReady)];
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
