// `status`, `groups` and `devices`: how the fleet stands.
import { buildWords } from "@context-edge/protocol";
import type { Command } from "commander";
import { z } from "zod";
import { CLOSED_STATES, Deployment, Device, Group, Session } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import { EXIT, Failure } from "../exits.ts";
import { othersOf } from "../progress-view.ts";
import { relativeTime } from "../quantities.ts";
import type { Output } from "../output.ts";
import { stateTone, syncTone } from "./tones.ts";

export function addFleet(program: Command, world: World): void {
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

  const devices = program
    .command("devices")
    .argument("[device]", "only this one, in full")
    .description("devices and what they run")
    .option("-g, --group <name>", "of one group")
    .option("--problems", "only those that are offline, not in sync, or in trouble");
  act(devices, world, DeviceOptions, showDevices);
  examples(
    devices,
    "context-edge devices --group line-a",
    "context-edge devices --problems",
    "context-edge devices press-7",
  );
}

async function showStatus({ hub, out }: Desk): Promise<void> {
  const client = hub();
  const session = await client.get(Session, "api/v1/session");
  const who = session.signed_in
    ? `${session.user ?? "nobody in particular"}${session.role ? ` (${session.role})` : ""}`
    : "not signed in";
  if (!session.signed_in) {
    throw new Failure(EXIT.notAllowed, `You are not signed in at ${client.url}.`, {
      code: "UNAUTHENTICATED",
      nextStep: `Sign in with: context-edge login ${client.url}`,
    });
  }
  const [groups, deployments] = await Promise.all([
    client.all(Group, "api/v1/groups"),
    client.all(Deployment, "api/v1/deployments"),
  ]);
  const open = deployments.filter(({ state }) => !CLOSED_STATES.includes(state));
  out.result({ hub: client.url, session, groups, open_deployments: open }, [
    `hub   ${client.url} (version ${session.hub_version})`,
    `you   ${who}`,
    "",
    ...(groups.length > 0 ? groupTable(out, groups) : ["No groups."]),
    "",
    ...(open.length > 0 ? [] : ["No deployment is under way."]),
    ...open.flatMap((one) => [
      `${one.version} to ${one.groups.join(", ")}: ${out.tone(stateTone(one.state), one.state)}, ` +
        `${one.progress.committed}/${one.progress.total} committed${othersOf(one) ? `, ${othersOf(one)}` : ""}`,
      `  ${one.state_reason}`,
      `  ${one.id}, begun ${relativeTime(one.created_at, out.nowMs())} by ${one.created_by}`,
    ]),
  ]);
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

const DeviceOptions = z.object({ group: z.string().optional(), problems: z.boolean().default(false) });

async function showDevices(
  { hub, out }: Desk,
  options: z.infer<typeof DeviceOptions>,
  [id]: readonly string[],
): Promise<void> {
  if (id !== undefined) {
    const device = await hub().get(Device, `api/v1/devices/${encodeURIComponent(id)}`);
    return out.result(device, deviceDetails(out, device));
  }
  const all = await hub().all(Device, "api/v1/devices", { group: options.group });
  const shown = options.problems ? all.filter(hasProblem) : all;
  const rows = shown.map((device) => [
    device.id,
    device.group,
    device.online ? "online" : out.tone("warn", "offline"),
    runsOf(device),
    out.tone(syncTone(device.sync), device.sync),
    relativeTime(device.last_seen, out.nowMs()),
    device.trouble?.code ?? (device.sync === "failed" ? (outcomeOf(device)?.code ?? "") : device.phase),
  ]);
  const lines = out.table(["DEVICE", "GROUP", "", "RUNS", "SYNC", "SEEN", "DOING"], rows);
  out.result(shown, shown.length > 0 ? lines : [options.problems ? "No device has a problem." : "No devices."]);
}

const hasProblem = (device: Device) =>
  !device.online || !["in-sync", "pending"].includes(device.sync) || (device.trouble ?? null) !== null;

const outcomeOf = (device: Device) =>
  Object.values(device.models).find(({ last_outcome }) => last_outcome)?.last_outcome;

const runsOf = (device: Device) =>
  Object.entries(device.models)
    .flatMap(([model, { current }]) =>
      current ? [model === "default" ? current.version : `${model}:${current.version}`] : [],
    )
    .join(",") || "-";

function deviceDetails(out: Output, device: Device): string[] {
  const models = Object.entries(device.models).flatMap(([name, model]) => {
    const last = model.last_outcome;
    return [
      `${name}: runs ${model.current?.version ?? "nothing"}, target ${model.target?.version ?? "none"}, ` +
        `backup ${model.backup?.version ?? "none"}`,
      ...(model.attempt?.build ? [`  ${buildWords(model.attempt.build, model.current?.version ?? null)}`] : []),
      ...(model.waiting ? [`  waits: ${model.waiting.message}`] : []),
      ...(last
        ? [
            `  last: ${last.version} ${last.outcome} (${last.code}) ${relativeTime(last.at, out.nowMs())}: ${last.message}`,
          ]
        : []),
      ...(last?.next_step ? [`  next: ${last.next_step}`] : []),
    ];
  });
  return [
    `${device.id} in ${device.group}: ${device.online ? "online" : "offline"}, ${out.tone(syncTone(device.sync), device.sync)}, ${device.phase}`,
    `seen ${relativeTime(device.last_seen, out.nowMs())}`,
    ...models,
    ...(device.hold ? [`held until ${device.hold.until}: ${device.hold.reason}`] : []),
    ...(device.trouble ? [`trouble: ${device.trouble.message} (${device.trouble.code})`] : []),
    ...(device.status_url ? [`its own page: ${device.status_url}`] : []),
  ];
}
