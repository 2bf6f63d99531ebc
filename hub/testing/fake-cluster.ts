// A Kubernetes API of nodes and pods that speaks list, watch in lines of JSON, bookmarks, 410 Gone in both forms, denials, cuts and merge patches.
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { GROUP_LABEL } from "@context-edge/protocol";

export type FakeResource = "nodes" | "pods";
export interface FakeObject {
  metadata: {
    name: string;
    labels: Record<string, string>;
    resourceVersion: string;
    namespace?: string;
    deletionTimestamp?: string;
  };
  spec: { unschedulable?: boolean; nodeName?: string };
  status: { conditions: { type: string; status: string; reason?: string }[] };
}
interface Line {
  version: number;
  type: string;
  object: FakeObject;
}
/** What a list or a watch is of. */
interface Scope {
  resource: FakeResource;
  namespace: string | undefined;
  selector: string;
}

export interface FakeCluster {
  url: string;
  /** What was asked, in order: `list nodes`, `watch pods from 7`, `patch nodes jetson-1`. */
  asked: string[];
  /** Answers this status to what begins with the words: `list nodes`, `patch`. */
  refusals: Map<string, number>;
  /** How a version that was forgotten is told: HTTP 410 before the watch, or an ERROR within it. */
  gone: "status" | "event";
  /** Bodies and types of patches, and whose token they came with. */
  patches: { type: string; body: unknown; by: string }[];
  /** Watches that are open. */
  open(resource: FakeResource): number;
  put(resource: FakeResource, object: FakeObject): void;
  remove(resource: FakeResource, name: string): void;
  get(name: string): FakeObject | undefined;
  bookmark(): void;
  /** Older versions are known no more, as after a compaction of etcd. */
  forget(): void;
  /** Sends this to everyone who watches it. */
  say(resource: FakeResource, line: object): void;
  /** Ends every watch in order, as a server does after a while. */
  hangUp(): void;
  /** Cuts every connection. */
  cut(): void;
  /** Refuses connections until it is started again, on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** @returns a file that leads here, with this token */
  kubeconfig(dir: string, token?: string): string;
}

const PATHS = /^\/api\/v1\/(?:namespaces\/(?<namespace>[^/]+)\/)?(?<resource>nodes|pods)(?:\/(?<name>[^/]+))?$/;
export const AGENTS = "context-edge-agents";

export async function fakeCluster(): Promise<FakeCluster> {
  const objects = { nodes: new Map<string, FakeObject>(), pods: new Map<string, FakeObject>() };
  const watchers = new Set<{ scope: Scope; response: ServerResponse; bookmarks: boolean }>();
  const history: (Line & { resource: FakeResource })[] = [];
  let version = 100;
  let floor = 100;

  const send = (response: ServerResponse, status: number, value: unknown) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  const status = (code: number, message: string) => ({ kind: "Status", apiVersion: "v1", code, message });
  const tell = (resource: FakeResource, type: string, object: FakeObject) => {
    version += 1;
    object.metadata.resourceVersion = String(version);
    const line = { resource, version, type, object: structuredClone(object) };
    history.push(line);
    for (const { scope, response } of watchers) if (isIn(scope, resource, object)) response.write(textOf(line));
  };

  const watch = (scope: Scope, url: URL, response: ServerResponse) => {
    const from = Number(url.searchParams.get("resourceVersion"));
    const isForgotten = from < floor;
    if (isForgotten && fake.gone === "status") return send(response, 410, status(410, "too old resource version"));
    response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    if (isForgotten) {
      const object = status(410, "too old resource version");
      return void response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
    }
    for (const line of history)
      if (line.version > from && isIn(scope, line.resource, line.object)) response.write(textOf(line));
    const watcher = { scope, response, bookmarks: url.searchParams.get("allowWatchBookmarks") === "true" };
    watchers.add(watcher);
    response.on("close", () => watchers.delete(watcher));
  };

  const patch = async (name: string, request: IncomingMessage, response: ServerResponse) => {
    const body = JSON.parse(await text(request)) as { metadata: { labels: Record<string, string | null> } };
    const type = request.headers["content-type"] ?? "";
    fake.patches.push({ type, body, by: (request.headers.authorization ?? "").replace("Bearer ", "") });
    const object = objects.nodes.get(name);
    if (!object) return send(response, 404, status(404, `nodes "${name}" not found`));
    if (type !== "application/merge-patch+json") return send(response, 415, status(415, "no merge patch"));
    // RFC 7386: null deletes, what is not named stays.
    for (const [key, value] of Object.entries(body.metadata.labels)) {
      if (value === null) delete object.metadata.labels[key];
      else object.metadata.labels[key] = value;
    }
    tell("nodes", "MODIFIED", object);
    send(response, 200, object);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://cluster");
    const { resource, name, namespace } = (PATHS.exec(url.pathname)?.groups ?? {}) as Record<string, string>;
    if (resource !== "nodes" && resource !== "pods") return send(response, 404, status(404, "no such path"));
    const isWatch = url.searchParams.get("watch") === "true";
    const from = isWatch ? ` from ${url.searchParams.get("resourceVersion")}` : "";
    const verb = request.method === "PATCH" ? "patch" : isWatch ? "watch" : "list";
    const words = `${verb} ${resource}${name === undefined ? "" : ` ${name}`}${from}`;
    fake.asked.push(words);
    const refusal = [...fake.refusals].find(([begin]) => words.startsWith(begin))?.[1];
    if (refusal !== undefined) return send(response, refusal, status(refusal, `${words} is refused`));
    if (name !== undefined) return patch(name, request, response);
    const scope: Scope = { resource, namespace, selector: url.searchParams.get("labelSelector") ?? "" };
    if (isWatch) return watch(scope, url, response);
    const items = [...objects[resource].values()].filter((object) => isIn(scope, resource, object));
    send(response, 200, { kind: "List", apiVersion: "v1", metadata: { resourceVersion: String(version) }, items });
  };

  const server = createServer((request, response) => void answer(request, response));
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const fake: FakeCluster = {
    url: "",
    asked: [],
    refusals: new Map(),
    gone: "status",
    patches: [],
    open: (resource) => [...watchers].filter(({ scope }) => scope.resource === resource).length,
    put(resource, object) {
      const type = objects[resource].has(object.metadata.name) ? "MODIFIED" : "ADDED";
      objects[resource].set(object.metadata.name, object);
      tell(resource, type, object);
    },
    remove(resource, name) {
      const object = objects[resource].get(name);
      objects[resource].delete(name);
      if (object) tell(resource, "DELETED", object);
    },
    get: (name) => objects.nodes.get(name),
    bookmark() {
      version += 1;
      const line = `${JSON.stringify({ type: "BOOKMARK", object: { metadata: { resourceVersion: String(version) } } })}\n`;
      for (const { bookmarks, response } of watchers) if (bookmarks) response.write(line);
    },
    forget() {
      version += 1;
      floor = version;
      history.length = 0;
    },
    say(resource, line) {
      for (const { scope, response } of watchers)
        if (scope.resource === resource) response.write(`${JSON.stringify(line)}\n`);
    },
    hangUp() {
      for (const { response } of watchers) response.end();
      watchers.clear();
    },
    cut: () => server.closeAllConnections(),
    stop,
    start: () => listen(Number(new URL(fake.url).port)),
    kubeconfig(dir, token = "kubeconfig") {
      const file = join(dir, `${token}.json`);
      const cluster = { server: fake.url, "insecure-skip-tls-verify": true };
      const config = {
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "fake", cluster }],
        users: [{ name: "hub", user: { token } }],
        contexts: [{ name: "fake", context: { cluster: "fake", user: "hub" } }],
        "current-context": "fake",
      };
      writeFileSync(file, JSON.stringify(config));
      return file;
    },
  };
  await listen(0);
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(stop);
  return fake;
}

const textOf = ({ type, object }: Line) => `${JSON.stringify({ type, object })}\n`;

function isIn({ resource, namespace, selector }: Scope, of: FakeResource, { metadata }: FakeObject): boolean {
  if (resource !== of || namespace !== metadata.namespace) return false;
  return selector.split(",").every((term) => {
    const [key = "", value] = term.split("=", 2);
    return key === "" || metadata.labels[key] === value;
  });
}

interface NodeWishes {
  group?: string;
  ready?: "True" | "False" | "Unknown";
  isCordoned?: boolean;
  labels?: Record<string, string>;
}

export function fakeNode(name: string, { group, ready = "True", isCordoned, labels }: NodeWishes = {}): FakeObject {
  const own = labels ?? { "context-edge.io/jetson": "true" };
  return {
    metadata: {
      name,
      resourceVersion: "",
      labels: { ...own, ...(group === undefined ? {} : { [GROUP_LABEL]: group }) },
    },
    spec: isCordoned === undefined ? {} : { unschedulable: isCordoned },
    status: {
      conditions: [{ type: "Ready", status: ready, ...(ready === "True" ? {} : { reason: "NodeStatusUnknown" }) }],
    },
  };
}

export function fakeAgent(node: string, ready: "True" | "False" = "True"): FakeObject {
  const labels = { "app.kubernetes.io/name": "context-edge-agent" };
  return {
    metadata: { name: `agent-${node}`, namespace: AGENTS, resourceVersion: "", labels },
    spec: { nodeName: node },
    status: { conditions: [{ type: "Ready", status: ready }] },
  };
}
