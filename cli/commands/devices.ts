// `devices`: list them, look at one, move, hold and release one, take one out of the fleet.
import type { Command } from "commander";
import { buildWords, GroupName } from "@context-edge/protocol";
import { z } from "zod";
import { Device, Group } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import { EXIT, Failure } from "../exits.ts";
import { FullReason } from "../names.ts";
import type { Output } from "../output.ts";
import { parseNumber } from "../quantities.ts";
import { addAdmission } from "./admission.ts";
import { syncTone } from "./tones.ts";

export function addDevices(program: Command, world: World): void {
  const devices = program
    .command("devices")
    .argument("[device]", "only this one, in full")
    .description("devices and what they run; move, hold and release them")
    .option("-g, --group <group>", "of one group")
    .option("--problems", "only those that are offline, not in sync, or in trouble");
  act(devices, world, DeviceOptions, showDevices);
  examples(
    devices,
    "context-edge devices --group line-a",
    "context-edge devices --problems",
    "context-edge devices press-7",
    "context-edge devices move press-7 --group line-b",
  );

  const move = devices
    .command("move")
    .argument("<device>", "the device")
    .description("put a device into another group, whose targets it follows from then on")
    .requiredOption("-g, --group <group>", "the group to go to")
    .option("--create", "make the group if there is none of that name");
  act(move, world, MoveOptions, moveDevice);
  examples(
    move,
    "context-edge devices move press-7 --group line-b",
    "context-edge devices move press-7 -g lab --create",
  );

  const hold = devices
    .command("hold")
    .argument("<device>", "the device")
    .description("keep a device as it is for a while: it installs nothing")
    .requiredOption("--hours <n>", "for how long", parseNumber)
    .requiredOption("-r, --reason <text>", "why; shown at the device and kept in the history");
  act(hold, world, HoldOptions, ({ hub, out }, { hours, reason }, [id = ""]) =>
    change(hub(), out, id, { hold: { hours, reason } }, ({ hold: held }) => [
      `${id} is held until ${held?.until ?? "?"}: ${held?.reason ?? reason}`,
    ]),
  );
  examples(hold, 'context-edge devices hold press-7 --hours 8 --reason "night shift"');

  const release = devices.command("release").argument("<device>", "the device").description("end the hub's hold");
  act(release, world, z.object({}), ({ hub, out }, _options, [id = ""]) =>
    change(hub(), out, id, { hold: null }, ({ hold: held }) => [
      // What was set at the device is ended at the device.
      held ? `${id} is held by whoever stands before it until ${held.until}: ${held.reason}` : `${id} is not held.`,
    ]),
  );
  examples(release, "context-edge devices release press-7");
  addAdmission(devices, world);
}

const DeviceOptions = z.object({ group: GroupName.optional(), problems: z.boolean().default(false) });
const MoveOptions = z.object({ group: GroupName, create: z.boolean().default(false) });
const HoldOptions = z.object({
  hours: z
    .number()
    .positive()
    .max(24 * 90),
  reason: FullReason,
});

type Hub = ReturnType<Desk["hub"]>;

async function change(
  hub: Hub,
  out: Output,
  id: string,
  wish: object,
  said: (device: Device) => readonly string[],
): Promise<void> {
  const device = await hub.send(Device, "PATCH", `api/v1/devices/${encodeURIComponent(id)}`, wish);
  out.result(device, said(device));
}

/** A misspelt name must not make a group: that has to be said. */
async function moveDevice(
  desk: Desk,
  { group, create }: z.infer<typeof MoveOptions>,
  [id = ""]: readonly string[],
): Promise<void> {
  const hub = desk.hub();
  if (create) await hub.send(Group, "POST", "api/v1/groups", { name: group });
  else {
    await hub.get(Group, `api/v1/groups/${encodeURIComponent(group)}`).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.more.code !== "GROUP_UNKNOWN") throw error;
      throw new Failure(EXIT.refused, error.message, {
        ...error.more,
        nextStep: "See which there are: context-edge groups. To make this one, add --create.",
      });
    });
  }
  await change(hub, desk.out, id, { group }, (device) => [`${id} is in ${device.group}.`]);
}

async function showDevices(
  { hub, out }: Desk,
  { group, problems }: z.infer<typeof DeviceOptions>,
  [id]: readonly string[],
): Promise<void> {
  if (id !== undefined) {
    const device = await hub().get(Device, `api/v1/devices/${encodeURIComponent(id)}`);
    return out.result(device, deviceDetails(out, device));
  }
  const all = await hub().all(Device, "api/v1/devices", { group });
  const shown = problems ? all.filter(hasProblem) : all;
  const rows = shown.map((device) => [
    device.id,
    device.group,
    device.online ? "online" : out.tone("warn", "offline"),
    runsOf(device),
    out.tone(syncTone(device.sync), device.sync),
    out.when(device.last_seen),
    device.trouble?.code ?? (device.sync === "failed" ? (outcomeOf(device)?.code ?? "") : device.phase),
  ]);
  const lines = out.table(["DEVICE", "GROUP", "ONLINE", "RUNS", "SYNC", "SEEN", "DOING"], rows);
  out.result(shown, shown.length > 0 ? lines : [problems ? "No device has a problem." : "No devices."]);
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
      ...(last ? [`  last: ${last.version} ${last.outcome} (${last.code}) ${out.when(last.at)}: ${last.message}`] : []),
      ...(last?.next_step ? [`  next: ${last.next_step}`] : []),
    ];
  });
  return [
    `${device.id} in ${device.group}: ${device.online ? "online" : "offline"}, ${out.tone(syncTone(device.sync), device.sync)}, ${device.phase}`,
    `seen ${out.when(device.last_seen)}`,
    ...models,
    ...(device.hold ? [`held until ${device.hold.until}: ${device.hold.reason}`] : []),
    ...(device.trouble ? [`trouble: ${device.trouble.message} (${device.trouble.code})`] : []),
    ...(device.status_url ? [`its own page: ${device.status_url}`] : []),
  ];
}
