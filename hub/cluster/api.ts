// The Kubernetes API as the hub asks it: list, watch, and one patch. Every failure is a value; nothing here tries again.
import {
  ApiException,
  CoreV1Api,
  KubeConfig,
  Observable,
  type ObservableMiddleware,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from "@kubernetes/client-node";
import { GROUP_LABEL } from "@context-edge/protocol";
import { type Asked, type Refusal, refusalOf } from "../core/cluster-refusals.ts";
import type { ClusterAccess, ClusterConfig } from "./cluster-config.ts";

export type Resource = Asked["resource"];
export type Listed = { ok: true; objects: readonly unknown[]; version: string } | { ok: false; refusal: Refusal };

/** How a watch ended. */
export type Ending =
  /** By the server, after a while, or by a cut: it goes on from where it was. */
  | { kind: "over" }
  /** 410 Gone: from there the server cannot go on any more, so everything is listed again. */
  | { kind: "expired" }
  | { kind: "refused"; refusal: Refusal };

export interface WatchHandler {
  /** The server has begun to answer. */
  onOpen: () => void;
  onEvent: (type: string, object: unknown) => void;
}

export interface ClusterApi {
  list(resource: Resource): Promise<Listed>;
  watch(resource: Resource, version: string, handler: WatchHandler, signal: AbortSignal): Promise<Ending>;
  /** @returns `gone` where there is no such node any more */
  labelNode(node: string, group: string): Promise<{ ok: true } | { ok: false; refusal: Refusal | "gone" }>;
}

const LIST_MS = 30_000;
const PATCH_MS = 10_000;
/** A bookmark comes about every minute: a connection that is silent for longer than this is dead. */
const SILENCE_MS = 100_000;
/** The server ends each watch after five minutes, so that no proxy does it first. */
const WATCH_SECONDS = 300;

export function openClusterApi(
  { access, namespace, agents }: ClusterConfig & { access: Exclude<ClusterAccess, { kind: "off" }> },
  silenceMs = SILENCE_MS,
): ClusterApi {
  /** Anew each time: tokens and files are renewed under a running hub. */
  const kubeConfig = () => {
    const config = new KubeConfig();
    if (access.kind === "kubeconfig") config.loadFromFile(access.file);
    else config.loadFromCluster();
    return config;
  };
  const askedOf = (verb: Asked["verb"], resource: Resource): Asked => ({
    verb,
    resource,
    namespace: resource === "pods" ? namespace : null,
  });

  return {
    async list(resource) {
      try {
        const api = kubeConfig().makeApiClient(CoreV1Api);
        const options = { middleware: [within(LIST_MS)], middlewareMergeStrategy: "append" as const };
        const { items, metadata } =
          resource === "nodes"
            ? await api.listNode({}, options)
            : await api.listNamespacedPod({ namespace, labelSelector: agents }, options);
        return { ok: true, objects: items, version: metadata?.resourceVersion ?? "" };
      } catch (error) {
        return { ok: false, refusal: refusalOf(askedOf("list", resource), failureOf(error)) };
      }
    },
    watch(resource, version, { onOpen, onEvent }, signal) {
      const asked = askedOf("watch", resource);
      const path = resource === "nodes" ? "/api/v1/nodes" : `/api/v1/namespaces/${namespace}/pods`;
      const query = {
        resourceVersion: version,
        allowWatchBookmarks: true,
        timeoutSeconds: WATCH_SECONDS,
        ...(resource === "pods" ? { labelSelector: agents } : {}),
      };
      return new Promise<Ending>((resolve) => {
        const cut = new AbortController();
        const end = (ending: Ending) => {
          cut.abort();
          resolve(ending);
        };
        signal.addEventListener("abort", () => end({ kind: "over" }), { once: true, signal: cut.signal });
        let isOpen = false;
        const handle = (type: string, object: unknown) => {
          if (type !== "ERROR") return cut.signal.aborted ? undefined : onEvent(type, object);
          const { code = 500, message = "" } = object as { code?: number; message?: string };
          end(endingOf(asked, { status: code, detail: message }));
        };
        const done = (error: unknown) => {
          const failure = error ? failureOf(error) : null;
          // Whatever cuts what had begun: it goes on from there, and if the server is away the next try says so.
          if (failure === null || (isOpen && "error" in failure)) end({ kind: "over" });
          else end(endingOf(asked, failure));
        };
        startWatch(kubeConfig, silenceMs)
          .watch(path, query, handle, done)
          .then((controller) => {
            // Before it was open there was nothing to hold it by.
            if (cut.signal.aborted) return controller.abort();
            cut.signal.addEventListener("abort", () => controller.abort(), { once: true });
            isOpen = true;
            onOpen();
          })
          .catch((error: unknown) => end(endingOf(asked, failureOf(error))));
      });
    },
    async labelNode(node, group) {
      try {
        const deadline = { middleware: [within(PATCH_MS)] };
        await kubeConfig()
          .makeApiClient(CoreV1Api)
          .patchNode(
            { name: node, body: { metadata: { labels: { [GROUP_LABEL]: group } } }, fieldManager: "context-edge-hub" },
            setHeaderOptions("Content-Type", PatchStrategy.MergePatch, deadline),
          );
        return { ok: true };
      } catch (error) {
        const failure = failureOf(error);
        if ("status" in failure && failure.status === 404) return { ok: false, refusal: "gone" };
        return { ok: false, refusal: refusalOf(askedOf("patch", "nodes"), failure) };
      }
    },
  };
}

function startWatch(kubeConfig: () => KubeConfig, silenceMs: number): Pick<Watch, "watch"> {
  return {
    async watch(...how) {
      const watch = new Watch(kubeConfig());
      // Its own 30 seconds are shorter than the pause between two bookmarks: a quiet watch would never get one.
      Object.assign(watch, { requestTimeoutMs: silenceMs });
      return watch.watch(...how);
    },
  };
}

function endingOf(asked: Asked, failure: ReturnType<typeof failureOf>): Ending {
  if ("status" in failure && failure.status === 410) return { kind: "expired" };
  return { kind: "refused", refusal: refusalOf(asked, failure) };
}

/** The client has no deadline of its own. */
const within = (deadlineMs: number): ObservableMiddleware => ({
  pre(context) {
    context.setSignal(AbortSignal.timeout(deadlineMs));
    return new Observable(Promise.resolve(context));
  },
  post: (response) => new Observable(Promise.resolve(response)),
});

function failureOf(error: unknown): { status: number; detail: string } | { error: string } {
  if (error instanceof ApiException) return { status: error.code, detail: messageIn(error.body) };
  if (!(error instanceof Error)) return { error: String(error) };
  // The watch's own way of saying it.
  if ("statusCode" in error && typeof error.statusCode === "number") return { status: error.statusCode, detail: "" };
  const { cause } = error;
  return { error: cause instanceof Error ? `${error.message}: ${cause.message}` : error.message };
}

/** A `Status` object, or its text. */
function messageIn(body: unknown): string {
  const text = typeof body === "string" ? body : JSON.stringify(body ?? "");
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === "object" && status !== null && "message" in status) return String(status.message);
  } catch {
    // A proxy's page.
  }
  return text.slice(0, 300);
}
