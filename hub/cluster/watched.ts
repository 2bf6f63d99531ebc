// One resource kept in memory as the cluster has it: list, then watch from there; whatever goes wrong, again, ever more slowly.
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import type { ClusterProblem } from "@context-edge/protocol";
import type { Refusal } from "../core/cluster-refusals.ts";
import { type Pace, pauseAfterMs } from "../core/pace.ts";
import type { ClusterApi, Resource } from "./api.ts";
import { versionOf } from "./objects.ts";

export interface Watched<T> {
  /** By name, as last seen; null until they were listed once. */
  objects: () => ReadonlyMap<string, T> | null;
  /** Null while the watch is open. */
  problem(): ClusterProblem | null;
  stop(): Promise<void>;
}

const LONG_MS = 30_000;

interface Settings<T> {
  resource: Resource;
  parse: (object: unknown) => (T & { name: string }) | null;
  onChange: () => void;
  now: () => number;
  /** 0 to 1. */
  random: () => number;
  pace: Pace | undefined;
  log: Pick<Logger, "info" | "warn">;
}

export function keepWatched<T>(api: ClusterApi, settings: Settings<T>): Watched<T> {
  const { resource, parse, onChange, now, random, pace, log } = settings;
  const ended = new AbortController();
  const { signal } = ended;
  let objects: Map<string, T> | null = null;
  let problem: ClusterProblem | null = null;
  let version = "";
  /** In a row; a watch that brought nothing before it ended counts as one, or a server that hangs up at once would be asked without end. */
  let failures = 0;

  const complain = (refusal: Refusal) => {
    failures += 1;
    // Listed anew before it counts as seen: an open watch tells what it missed a moment too late for whoever acts on it.
    version = "";
    if (problem?.message === refusal.message) return;
    problem = { ...refusal, since: new Date(now()).toISOString() };
    log.warn({ code: refusal.code }, `${refusal.message}. ${refusal.next_step}`);
    onChange();
  };
  const recover = () => {
    if (problem === null) return;
    problem = null;
    log.info(`the cluster's ${resource} are seen again`);
    onChange();
  };

  const list = async () => {
    const listed = await api.list(resource);
    if (signal.aborted) return;
    if (!listed.ok) return complain(listed.refusal);
    objects = new Map();
    for (const object of listed.objects) {
      const one = parse(object);
      if (one) objects.set(one.name, one);
    }
    const unread = listed.objects.length - objects.size;
    if (unread > 0) log.warn(`${unread} of the cluster's ${resource} are not of the form that Kubernetes documents`);
    version = listed.version;
    onChange();
  };

  const take = (type: string, object: unknown) => {
    failures = 0;
    version = versionOf(object) || version;
    const one = type === "BOOKMARK" ? null : parse(object);
    if (one === null) return;
    if (type === "DELETED") objects?.delete(one.name);
    else objects?.set(one.name, one);
    onChange();
  };

  const watch = async () => {
    const began = performance.now();
    const ending = await api.watch(resource, version, { onOpen: recover, onEvent: take }, signal);
    if (ending.kind === "refused") return complain(ending.refusal);
    // Quiet for minutes is no failure.
    failures = performance.now() - began > LONG_MS ? 0 : failures + 1;
    if (ending.kind === "expired") version = "";
  };

  const loop = (async () => {
    while (!signal.aborted) {
      if (failures > 0)
        await pause(pauseAfterMs(failures, random(), pace), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      // Listed anew as well when the server gave no version to go on from.
      if (version === "") await list();
      if (version !== "" && !signal.aborted) await watch();
      else if (problem === null) failures += 1;
    }
  })();

  return {
    objects: () => objects,
    problem: () => problem,
    async stop() {
      ended.abort();
      await loop;
    },
  };
}
