// A deployment that is being rolled back: it is over when every group has settled on what it had before, and that is the work of
// deployments of their own, one for each version the groups go back to.
import { z } from "zod";
import { Deployment, Group } from "./answers.ts";
import { Failure } from "./exits.ts";
import { ask, type Look } from "./follow.ts";
import type { HubClient } from "./hub-client.ts";

const GOING_BACK = "rolling-back";
const BACK = "rolled-back";

/** @returns null when it is not being rolled back: some group had nothing before it, so it stays that group's target. */
export async function lookAtRollback(hub: HubClient, id: string): Promise<Look | null> {
  const path = `api/v1/deployments/${encodeURIComponent(id)}`;
  const [deployment, groups] = await Promise.all([hub.get(Deployment, path), hub.all(Group, "api/v1/groups")]);
  if (![GOING_BACK, BACK].includes(deployment.state)) return null;
  const followed = groups
    .filter(({ name }) => deployment.groups.includes(name))
    .flatMap(({ targets }) => targets[deployment.model]?.deployment_id ?? []);
  const restoring = [...new Set(followed)].filter((one) => one !== id);
  return {
    id,
    again: `context-edge deployments wait ${id} --until rolled-back`,
    concerns: (news) => (news.id === id || restoring.includes(news.id) ? "ask" : "no"),
    async ask() {
      const own = await ask(hub, id);
      if (own instanceof Failure || ![GOING_BACK, BACK].includes(own.state)) return own;
      const parts = await Promise.all(restoring.map((one) => ask(hub, one)));
      const away = parts.find((part) => part instanceof Failure);
      if (away) return away;
      const known = parts.flatMap((part) => (part instanceof Failure || part.kind !== "rollback" ? [] : [part]));
      // One that stands still keeps its groups where they are, and so the rollback from ever ending: that is what has to be told.
      const halted = own.state === GOING_BACK ? known.find(({ state }) => state === "paused") : undefined;
      return halted ?? together(own, known);
    },
  };
}

const Count = z.number();

/** Its own figures stopped when its groups left it; how far they are, and who did not go back, is in the ones that take them. */
function together(own: Deployment, parts: readonly Deployment[]): Deployment {
  const total = (name: string) =>
    parts.reduce((sum, { progress }) => sum + (Count.safeParse(progress[name]).data ?? 0), 0);
  const figures = Object.fromEntries(Object.keys(own.progress).map((name) => [name, total(name)]));
  return parts.length === 0 ? own : { ...own, progress: { ...own.progress, ...figures } };
}
