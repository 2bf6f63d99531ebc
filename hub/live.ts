// One live connection: history rows with ids to resume from, and the newest state of whatever was touched, gathered for a moment.
import type { ServerResponse } from "node:http";
import type { LiveMessage } from "@context-edge/protocol";
import type { Notice, Touched } from "./changes.ts";
import { readFleet } from "./fleet.ts";
import type { Hub } from "./hub.ts";
import { deploymentView, deviceView, groupView, versionView } from "./views.ts";

const GATHER_MS = 150;
const HEARTBEAT_MS = 15_000;
/** More than this was missed: fetching everything anew is cheaper than replaying. */
const REPLAY_LIMIT = 500;
/** A reader that lets this much pile up is cut off; it reconnects and catches up. */
const MAX_BUFFERED_BYTES = 8 * 2 ** 20;

export function streamLive(hub: Hub, out: ServerResponse, lastId: number | undefined): void {
  const pending: Touched = { devices: new Set(), groups: new Set(), deployments: new Set(), versions: new Set() };
  let gathering: NodeJS.Timeout | undefined;

  const send = (message: LiveMessage) => {
    if (out.writableLength > MAX_BUFFERED_BYTES) out.destroy();
    const id = message.type === "event" ? `id: ${message.event.id}\n` : "";
    out.write(`${id}data: ${JSON.stringify(message)}\n\n`);
  };
  const flush = async () => {
    gathering = undefined;
    const taken = { ...pending };
    pending.devices = new Set();
    pending.groups = new Set();
    pending.deployments = new Set();
    pending.versions = new Set();
    for (const message of await messagesFor(hub, taken)) send(message);
  };
  const onNotice = (notice: Notice) => {
    if (notice.kind === "event") return send({ type: "event", event: notice.event });
    for (const key of ["devices", "groups", "deployments", "versions"] as const) {
      for (const id of notice.touched[key]) pending[key].add(id);
    }
    gathering ??= setTimeout(() => {
      flush().catch((error: unknown) => hub.log.error({ err: error }, "a live update failed"));
    }, GATHER_MS);
  };

  out.write("retry: 2000\n\n");
  const forget = hub.changes.listen(onNotice);
  const heartbeat = setInterval(() => out.write(": still here\n\n"), HEARTBEAT_MS);
  out.once("close", () => {
    forget();
    clearInterval(heartbeat);
    clearTimeout(gathering);
  });
  if (lastId !== undefined) {
    replay(hub, lastId, send).catch((error: unknown) => hub.log.error({ err: error }, "a replay failed"));
  }
}

async function replay(hub: Hub, lastId: number, send: (message: LiveMessage) => void): Promise<void> {
  const missed = await hub.store.events.after(lastId, REPLAY_LIMIT + 1);
  if (missed.length > REPLAY_LIMIT || lastId > (await hub.store.events.lastId())) return send({ type: "reset" });
  for (const event of missed) send({ type: "event", event });
}

async function messagesFor(hub: Hub, touched: Touched): Promise<LiveMessage[]> {
  const { store, presence } = hub;
  const fleet = await readFleet(store, presence);
  const devices = fleet.devices.filter(({ id }) => touched.devices.has(id));
  // A device's change shows in its group and in the deployments that count it.
  const groups = new Set([...touched.groups, ...devices.map(({ group_name }) => group_name)]);
  const targets = fleet.targets.filter((target) => groups.has(target.group_name));
  const deploymentIds = new Set([...touched.deployments, ...targets.map((target) => target.deployment_id)]);
  const deployments = await Promise.all([...deploymentIds].map((id) => store.deployments.find(id)));
  const versionKeys = new Set([...touched.versions, ...targets.map((target) => `${target.model}/${target.version}`)]);
  const versions = [...versionKeys].flatMap((key) => {
    const slash = key.indexOf("/");
    return fleet.version(key.slice(0, slash), key.slice(slash + 1)) ?? [];
  });
  return [
    ...devices.map((device) => ({ type: "device" as const, device: deviceView(fleet, presence, device) })),
    ...fleet.groups
      .filter(({ name }) => groups.has(name))
      .map((group) => ({ type: "group" as const, group: groupView(fleet, presence, group) })),
    ...deployments.flatMap((deployment) =>
      deployment ? [{ type: "deployment" as const, deployment: deploymentView(fleet, deployment) }] : [],
    ),
    ...versions.map((version) => ({ type: "version" as const, version: versionView(fleet, version) })),
  ];
}
