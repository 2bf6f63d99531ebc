// Kubernetes' objects (core/v1), parsed at the door into what the hub needs of them; a client's class and a watch's JSON alike.
import { z } from "zod";
import type { NodeFacts, PodFacts } from "../core/cluster.ts";

const Condition = z.object({ type: z.string(), status: z.string(), reason: z.string().nullish() });
const Metadata = z.object({
  name: z.string().min(1),
  resourceVersion: z.string().optional(),
  labels: z.record(z.string(), z.string()).nullish(),
  /** A text in JSON, a Date from the client. */
  deletionTimestamp: z.unknown().optional(),
});

const NodeObject = z.object({
  metadata: Metadata,
  spec: z.object({ unschedulable: z.boolean().nullish() }).nullish(),
  status: z.object({ conditions: z.array(Condition).nullish() }).nullish(),
});
const PodObject = z.object({
  metadata: Metadata,
  spec: z.object({ nodeName: z.string().nullish() }).nullish(),
  status: z.object({ conditions: z.array(Condition).nullish() }).nullish(),
});

const readyOf = (conditions: z.infer<typeof Condition>[] | null | undefined) =>
  conditions?.find(({ type }) => type === "Ready");

/** @returns null for what is no node */
export function nodeOf(object: unknown): NodeFacts | null {
  const parsed = NodeObject.safeParse(object);
  if (!parsed.success) return null;
  const { metadata, spec, status } = parsed.data;
  const ready = readyOf(status?.conditions);
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    // `Unknown` is what the cluster says when it does not hear of the kubelet.
    isReady: ready?.status === "True",
    unreadyBecause: ready?.status === "True" ? "" : (ready?.reason ?? ""),
    isCordoned: spec?.unschedulable === true,
  };
}

/** @returns null for what is no pod */
export function podOf(object: unknown): PodFacts | null {
  const parsed = PodObject.safeParse(object);
  if (!parsed.success) return null;
  const { metadata, spec, status } = parsed.data;
  return {
    name: metadata.name,
    node: spec?.nodeName ?? "",
    isReady: readyOf(status?.conditions)?.status === "True",
    isEnding: metadata.deletionTimestamp !== undefined && metadata.deletionTimestamp !== null,
  };
}

/** @returns how new the object is; of a bookmark, how far the watch has come */
export const versionOf = (object: unknown): string =>
  z.object({ metadata: z.object({ resourceVersion: z.string() }) }).safeParse(object).data?.metadata.resourceVersion ??
  "";
