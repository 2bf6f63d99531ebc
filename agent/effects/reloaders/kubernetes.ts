// Reloads by deleting the inference pods of this node, and waiting for new ones to be ready. Needs list and delete on pods.
import type { Http } from "../http.ts";
import { pause } from "../pause.ts";
import { type KubernetesSettings, nodePods, type Pod, type Refusal } from "./cluster.ts";
import { notNow, type Reloaded, type Reloader, reloaderOff, reloadFailed } from "./reloader.ts";

const LOOK_EVERY_MS = 500;
const LOOK_MS = 10_000;
/** Restarts of a container by the kubelet before it is called a crash loop. */
const CRASHES = 3;
/** Reasons for which a container waits, and will go on waiting. */
const HOPELESS = /^(CrashLoopBackOff|ImagePullBackOff|ErrImageNeverPull|InvalidImageName|CreateContainerConfigError)$/;

export function kubernetesReloader(http: Http, settings: KubernetesSettings): Required<Reloader> {
  const { selector, node } = settings;
  const pods = nodePods(http, settings);

  const untilReady = async (old: ReadonlySet<string>, deadline: number, signal: AbortSignal): Promise<Reloaded> => {
    let seen: readonly Pod[] | null = null;
    for (;;) {
      const now = await pods.list(deadline, signal);
      // The API may be away while its own node is busy: nothing is lost by asking again.
      if (now.ok) seen = now.pods;
      const fresh = (now.ok ? now.pods : []).filter(({ metadata }) => !old.has(metadata.uid));
      // A pod that is still ending answers too, with the old file.
      const isOldGone = now.ok && fresh.length === now.pods.length;
      if (isOldGone && fresh.some(isReady)) return { ok: true };
      const crash = crashOf(fresh);
      if (crash !== null) return reloadFailed(crash);
      if (performance.now() >= deadline) return seen === null && !now.ok ? off(now) : late(seen ?? [], old);
      await pause(LOOK_EVERY_MS, signal);
      signal.throwIfAborted();
    }
  };
  const late = (now: readonly Pod[], old: ReadonlySet<string>): Reloaded => {
    const lingering = now.find(({ metadata }) => old.has(metadata.uid));
    if (lingering) return reloadFailed(`the old pod ${lingering.metadata.name} did not end in time`);
    if (now.length > 0) return reloadFailed(`no new pod with ${selector} became ready on ${node} in time`);
    return reloadFailed(
      `no new pod with ${selector} came to ${node} in time; does its controller put one on each node?`,
    );
  };
  /** Why a reload could not work, from a list of the pods. */
  const hindrance = (now: Awaited<ReturnType<typeof pods.list>>): Refusal | null => {
    if (!now.ok) return now;
    if (now.pods.length === 0) return noPod(selector, node);
    const orphan = now.pods.find(({ metadata }) => !metadata.ownerReferences.some(({ controller }) => controller));
    return orphan ? orphaned(orphan.metadata.name) : null;
  };

  return {
    takes: "at-once",
    async obstacle(signal) {
      const deadline = performance.now() + LOOK_MS;
      const why = hindrance(await pods.list(deadline, signal)) ?? (await pods.mayDelete(deadline, signal));
      return why ? notNow(why.message, why.nextStep) : null;
    },
    async reload({ file, budgetMs }, signal) {
      const deadline = performance.now() + budgetMs;
      const before = await pods.list(deadline, signal);
      const why = hindrance(before);
      if (why !== null || !before.ok) return why ? off(why) : { ok: true };
      for (const pod of before.pods) {
        const removed = await pods.remove(pod, deadline, signal);
        if (!removed.ok) return off(removed);
      }
      // A service that shall serve nothing starts again and finds no link; that is for the service to bear.
      if (file === null) return { ok: true };
      return untilReady(new Set(before.pods.map(({ metadata }) => metadata.uid)), deadline, signal);
    },
    async isCrashing(signal) {
      const now = await pods.list(performance.now() + LOOK_MS, signal);
      return now.ok ? crashOf(now.pods) : null;
    },
  };
}

function isReady({ metadata, status }: Pod): boolean {
  const isReadyNow = status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True");
  return isReadyNow && metadata.deletionTimestamp === undefined;
}

/** @returns words for the first container that will not come up */
function crashOf(pods: readonly Pod[]): string | null {
  for (const pod of pods) {
    const { metadata, status } = pod;
    if (metadata.deletionTimestamp !== undefined || isReady(pod)) continue;
    for (const { name, restartCount, state, lastState } of [
      ...status.initContainerStatuses,
      ...status.containerStatuses,
    ]) {
      const reason = state.waiting?.reason ?? "";
      const ended = lastState.terminated?.reason ?? "";
      const isLooping = restartCount >= CRASHES && ended !== "" && ended !== "Completed";
      if (!HOPELESS.test(reason) && !isLooping) continue;
      const why = [reason, ended === "OOMKilled" ? "out of memory, OOMKilled" : ended].filter((word) => word !== "");
      return `container ${name} of pod ${metadata.name} does not stay up (${why.join(", ")}; ${restartCount} restarts)`;
    }
  }
  return null;
}

const off = ({ message, nextStep, detail }: Refusal): Reloaded => reloaderOff(message, nextStep, detail);

const noPod = (selector: string, node: string): Refusal => ({
  ok: false,
  message: `no pod with ${selector} runs on ${node}`,
  nextStep: "Check AGENT_KUBERNETES_SELECTOR, AGENT_KUBERNETES_NAMESPACE and AGENT_NODE_NAME.",
  detail: "",
});

const orphaned = (name: string): Refusal => ({
  ok: false,
  message: `pod ${name} belongs to no controller, so nothing would bring it back`,
  nextStep: "Run the inference service by a DaemonSet or Deployment; nothing was deleted.",
  detail: "",
});
