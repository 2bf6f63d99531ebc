// `status` and `groups`: the hub, who asks, and how the fleet stands.
import type { Command } from "commander";
import { z } from "zod";
import { CLOSED_STATES, Deployment, Group, Session } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import { EXIT, Failure } from "../exits.ts";
import { othersOf } from "../progress-view.ts";
import type { Output } from "../output.ts";
import { stateTone, syncTone } from "./tones.ts";

export function addStatus(program: Command, world: World): void {
  const status = program.command("status").description("the hub, who you are, the groups and what is under way");
  act(status, world, z.object({}), showStatus);
  examples(status, "context-edge status", "context-edge status --json | jq '.groups[].versions'");

  const groups = program.command("groups").argument("[group]", "only this one").description("groups, targets and sync");
  act(groups, world, z.object({}), async ({ hub, out }, _options, [name]) => {
    if (name !== undefined) {
      const group = await hub().get(Group, `api/v1/groups/${encodeURIComponent(name)}`);
      return out.result(group, groupTable(out, [group]));
    }
    const all = await hub().all(Group, "api/v1/groups");
    out.result(all, all.length > 0 ? groupTable(out, all) : ["No groups."]);
  });
  examples(groups, "context-edge groups", "context-edge groups line-a --json");
}

async function showStatus({ hub, out }: Desk): Promise<void> {
  const client = hub();
  const session = await client.get(Session, "api/v1/session");
  if (!session.signed_in) {
    throw new Failure(EXIT.notAllowed, `You are not signed in at ${client.url}.`, {
      code: "UNAUTHENTICATED",
      nextStep: client.signIn,
    });
  }
  const [groups, deployments] = await Promise.all([
    client.all(Group, "api/v1/groups").catch(notShown),
    client.all(Deployment, "api/v1/deployments").catch(notShown),
  ]);
  const open = deployments && deployments.filter(({ state }) => !CLOSED_STATES.includes(state));
  out.result({ hub: client.url, session, groups, open_deployments: open }, [
    `hub   ${client.url} (version ${session.hub_version})`,
    `you   ${whoIs(session)}`,
    "",
    ...(groups === null || open === null ? [NOT_SHOWN] : fleetLines(out, groups, open)),
  ]);
}

/** Who may not look at the fleet can still ask who it is: a CI job that publishes. */
function notShown(error: unknown): null {
  if (error instanceof Failure && error.more.code === "FORBIDDEN") return null;
  throw error;
}
const NOT_SHOWN = "The fleet is not shown to you: that needs the role or scope viewer.";

/** `ada (admin)`, `token ci (scope publisher)`. */
function whoIs({ user, role }: Session): string {
  const name = user ?? "nobody in particular";
  if (!role) return name;
  return name.startsWith("token ") ? `${name} (scope ${role})` : `${name} (${role})`;
}

function fleetLines(out: Output, groups: readonly Group[], open: readonly Deployment[]): string[] {
  return [
    ...(groups.length > 0 ? groupTable(out, groups) : ["No groups."]),
    "",
    ...(open.length > 0 ? [] : ["No deployment is under way."]),
    ...open.flatMap((one) => [
      `${one.version} to ${one.groups.join(", ")}: ${out.tone(stateTone(one.state), one.state)}, ` +
        `${one.progress.committed}/${one.progress.total} committed${othersOf(one) ? `, ${othersOf(one)}` : ""}`,
      `  ${one.state_reason}`,
      `  ${one.id}, begun ${out.when(one.created_at)} by ${one.created_by}`,
    ]),
  ];
}

function groupTable(out: Output, groups: readonly Group[]): string[] {
  const rows = groups.map(({ name, targets, devices_total, devices_online, versions, sync }) => [
    name,
    Object.entries(targets)
      .map(([model, { version }]) => (model === "default" ? version : `${model}:${version}`))
      .join(",") || "-",
    `${devices_online}/${devices_total}`,
    counts(versions),
    Object.entries(sync)
      .filter(([, count]) => count > 0)
      .map(([state, count]) => out.tone(syncTone(state), `${count} ${state}`))
      .join(", ") || "-",
  ]);
  return out.table(["GROUP", "TARGET", "ONLINE", "RUNS", "SYNC"], rows);
}

const counts = (of: Record<string, number>) =>
  Object.entries(of)
    .map(([what, count]) => `${what}×${count}`)
    .join(" ") || "-";
