// A Kubernetes API of one namespace: lists and deletes pods, and has deleted ones replaced, as a DaemonSet would.
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { loopbackServer } from "./loopback-server.ts";

export interface FakePod {
  name: string;
  uid: string;
  node: string;
  labels: string;
  isReady: boolean;
  /** Why its container waits; it was started this often. */
  waits?: { reason: string; restarts: number; ended: string };
  /** Nothing brings it back. */
  isOrphan?: boolean;
}

export interface FakeKubernetes {
  url: string;
  pods: FakePod[];
  deleted: string[];
  /** Methods of all requests. */
  asked: string[];
  /** Field selectors of the lists that were asked for. */
  selected: (string | null)[];
  /** Answers this status to requests with this method; null: as usual. */
  refuse: { method: string; status: number; times?: number } | null;
  /** Service account tokens that are accepted; each answer is noted with the one it came with. */
  tokens: string[];
  seen: string[];
  /** Whether pods that replace deleted ones become ready. */
  willBeReady: boolean;
  /** How the container of pods that replace deleted ones waits. */
  willWait: FakePod["waits"];
  /** Ignores the field selector, as a proxy in between might. */
  isSloppy: boolean;
  /** Deleted pods stay beside those that replace them, as while their grace period runs. */
  lingers: boolean;
  /** A controller puts another pod under the same name just before each delete; its uid tells them apart. */
  replaceBeforeDelete: boolean;
  /** Called when a pod takes the place of a deleted one; a test's own. */
  onStart(): void;
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
    selected: [],
    refuse: null,
    tokens: ["service-account"],
    seen: [],
    willBeReady: true,
    willWait: undefined,
    isSloppy: false,
    lingers: false,
    replaceBeforeDelete: false,
    onStart: () => undefined,
  };
  fake.url = await loopbackServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(request, Buffer.concat(chunks).toString(), response));
  });
  const answer = (request: IncomingMessage, body: string, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://cluster");
    fake.asked.push(request.method ?? "");
    const send = (status: number, value: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
    fake.seen.push(token);
    if (!fake.tokens.includes(token)) return send(401, { reason: "Unauthorized" });
    const { refuse } = fake;
    if (url.pathname.endsWith("/selfsubjectaccessreviews"))
      return send(201, { status: { allowed: refuse?.method !== "DELETE" } });
    if (refuse !== null && refuse.method === request.method && (refuse.times ?? 1) > 0) {
      if (refuse.times !== undefined) refuse.times -= 1;
      return send(refuse.status, { kind: "Status", reason: "Forbidden" });
    }
    const name = /^\/api\/v1\/namespaces\/edge\/pods(?:\/(?<name>[^/]+))?$/.exec(url.pathname)?.groups?.["name"];
    if (request.method === "DELETE") {
      const found = fake.pods.find((one) => one.name === name);
      if (!found) return send(404, { reason: "NotFound" });
      const options = JSON.parse(body === "" ? "{}" : body) as { preconditions?: { uid?: string } };
      const uid = options.preconditions?.uid;
      if (fake.replaceBeforeDelete) found.uid = randomUUID();
      if (uid !== undefined && uid !== found.uid) return send(409, { reason: "Conflict" });
      fake.deleted.push(found.name);
      const fresh = { ...pod(found.node, fake.willBeReady), ...(fake.willWait ? { waits: fake.willWait } : {}) };
      fake.pods = [...fake.pods.filter((one) => fake.lingers || one !== found), fresh];
      fake.onStart();
      return send(200, {});
    }
    const selector = url.searchParams.get("labelSelector");
    const fields = url.searchParams.get("fieldSelector");
    fake.selected.push(fields);
    const node = /^spec\.nodeName=(.+)$/.exec(fields ?? "")?.[1];
    const items = fake.pods.filter(
      (one) => one.labels === selector && (fake.isSloppy || node === undefined || one.node === node),
    );
    return send(200, { kind: "PodList", items: items.map(resourceOf) });
  };
  return fake;
}

function resourceOf({ name, uid, node, isReady, waits, isOrphan }: FakePod) {
  const container = waits && {
    name: "triton",
    restartCount: waits.restarts,
    state: { waiting: { reason: waits.reason } },
    lastState: { terminated: { reason: waits.ended } },
  };
  return {
    metadata: { name, uid, ...(isOrphan ? {} : { ownerReferences: [{ kind: "DaemonSet", controller: true }] }) },
    spec: { nodeName: node },
    status: {
      conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
      ...(container ? { containerStatuses: [container] } : {}),
    },
  };
}
