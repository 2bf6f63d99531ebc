// Everything live, gathered once for all connections: history rows with ids to resume from, and the newest state of whatever was touched.
import type { ServerResponse } from "node:http";
import { setImmediate as breathe } from "node:timers/promises";
import type { Event, LiveMessage } from "@context-edge/protocol";
import type { Hub } from "./hub.ts";
import { nothingTouched, type Touched } from "./touched.ts";
import { deploymentView, deviceView, groupView, versionView } from "./views.ts";

export interface Live {
  /** Streams to one connection from now on; with `lastId`, what came after that event first. */
  join(out: ServerResponse, lastId: number | undefined): void;
  connections(): number;
}

/** Changes of this long are told together, each resource once in its newest state. */
const GATHER_MS = 100;
/** When much is going on, the telling itself shall take no more than its share of the time. */
const LONGEST_GATHER_MS = 200;
const TELLING_SHARE = 0.1;
const SLICE_MS = 4;
const HEARTBEAT_MS = 15_000;
/** More than this was missed: fetching everything anew is cheaper than replaying. */
const REPLAY_LIMIT = 500;
/** A reader that lets this much pile up is cut off; it reconnects and catches up. */
const MAX_BUFFERED_BYTES = 8 * 2 ** 20;

interface Batch {
  events: readonly { id: number; text: string }[];
  states: string;
  /** All of it, once for everybody. */
  bytes: Buffer;
}

interface Connection {
  out: ServerResponse;
  /** Batches that came while this one was still catching up; null when it has. */
  waiting: Batch[] | null;
  /** Events up to here were replayed. */
  through: number;
}

export function openLive(hub: Hub): Live {
  const connections = new Set<Connection>();
  let touched = nothingTouched();
  let events: Event[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isTelling = false;
  let tookMs = 0;

  const gather = () => {
    if (isTelling || connections.size === 0) return;
    const pauseMs = Math.min(LONGEST_GATHER_MS, Math.max(GATHER_MS, tookMs / TELLING_SHARE));
    timer ??= setTimeout(() => void tell(), pauseMs);
  };

  /** One at a time: what comes meanwhile goes into the next batch. */
  const tell = async () => {
    timer = undefined;
    isTelling = true;
    const startedMs = performance.now();
    const taken = { touched, events };
    touched = nothingTouched();
    events = [];
    try {
      const known = await inSlices(await statesOf(hub, taken.touched));
      // There is no state of what is gone: everybody fetches anew.
      const isGone = taken.events.some(({ kind }) => kind === "group.deleted");
      const states = isGone ? known + frame({ type: "reset" }) : known;
      const framed = taken.events.map((event) => ({ id: event.id, text: frame({ type: "event", event }) }));
      const bytes = Buffer.from(framed.map(({ text }) => text).join("") + states);
      const batch = { events: framed, states, bytes };
      for (const connection of connections) deliver(connection, batch);
    } catch (error) {
      hub.log.error({ err: error }, "a live update failed");
      // What was not told is not forgotten: everybody fetches anew.
      for (const { out } of connections) write(out, frame({ type: "reset" }));
    } finally {
      tookMs = performance.now() - startedMs;
      isTelling = false;
      if (events.length > 0 || Object.values(touched).some(({ size }) => size > 0)) gather();
    }
  };

  hub.changes.listen((notice) => {
    // Nobody looks: a page that opens fetches everything, and one that comes back has its history replayed.
    if (connections.size === 0) return;
    if (notice.kind === "event") events.push(notice.event);
    if (notice.kind === "touched") {
      for (const key of KINDS) for (const id of notice.touched[key]) touched[key].add(id);
    }
    gather();
  });

  return {
    connections: () => connections.size,
    join(out, lastId) {
      const connection: Connection = { out, waiting: lastId === undefined ? null : [], through: 0 };
      const heartbeat = setInterval(() => out.write(": still here\n\n"), HEARTBEAT_MS);
      out.once("close", () => {
        connections.delete(connection);
        clearInterval(heartbeat);
        if (connections.size > 0) return;
        clearTimeout(timer);
        timer = undefined;
        touched = nothingTouched();
        events = [];
      });
      out.write("retry: 2000\n\n");
      connections.add(connection);
      if (lastId === undefined) return;
      catchUp(hub, connection, lastId).catch((error: unknown) => {
        hub.log.error({ err: error }, "a replay failed");
        out.destroy();
      });
    },
  };
}

function deliver(connection: Connection, batch: Batch): void {
  if (connection.waiting) connection.waiting.push(batch);
  else if (batch.events.every(({ id }) => id > connection.through)) write(connection.out, batch.bytes);
  else {
    const unseen = batch.events.filter(({ id }) => id > connection.through);
    write(connection.out, unseen.map(({ text }) => text).join("") + batch.states);
  }
}

async function catchUp(hub: Hub, connection: Connection, lastId: number): Promise<void> {
  const missed = await hub.store.events.after(lastId, REPLAY_LIMIT + 1);
  const newest = await hub.store.events.lastId();
  if (missed.length > REPLAY_LIMIT || lastId > newest) write(connection.out, frame({ type: "reset" }));
  else for (const event of missed) write(connection.out, frame({ type: "event", event }));
  connection.through =
    lastId > newest ? 0 : Math.max(lastId, missed.length > REPLAY_LIMIT ? newest : (missed.at(-1)?.id ?? 0));
  const waiting = connection.waiting ?? [];
  connection.waiting = null;
  for (const batch of waiting) deliver(connection, batch);
}

function write(out: ServerResponse, bytes: Buffer | string): void {
  if (out.writableLength > MAX_BUFFERED_BYTES) out.destroy();
  else if (bytes.length > 0) out.write(bytes);
}

function frame(message: LiveMessage): string {
  const id = message.type === "event" ? `id: ${message.event.id}\n` : "";
  return `${id}data: ${JSON.stringify(message)}\n\n`;
}

const KINDS = ["devices", "groups", "members", "deployments", "versions"] as const;

/** A whole fleet that comes online at once must not stall anybody's poll. */
async function inSlices(makes: readonly (() => LiveMessage)[]): Promise<string> {
  let text = "";
  let untilMs = performance.now() + SLICE_MS;
  for (const make of makes) {
    text += frame(make());
    if (performance.now() < untilMs) continue;
    await breathe();
    untilMs = performance.now() + SLICE_MS;
  }
  return text;
}

async function statesOf(hub: Hub, touched: Touched): Promise<(() => LiveMessage)[]> {
  const { store, presence } = hub;
  const fleet = await hub.fleet();
  const members = [...touched.members].flatMap((group) => fleet.devicesOf(group));
  const devices = [...new Set([...[...touched.devices].flatMap((id) => fleet.device(id) ?? []), ...members])];
  // A device's change shows in its group and in the deployments that count it.
  const groups = new Set([...touched.groups, ...touched.members, ...devices.map(({ group_name }) => group_name)]);
  const targets = fleet.targets.filter((target) => groups.has(target.group_name));
  const deploymentIds = new Set([...touched.deployments, ...targets.map((target) => target.deployment_id)]);
  const deployments = await Promise.all(
    [...deploymentIds].map(async (id) => fleet.deploymentsById.get(id) ?? store.deployments.find(id)),
  );
  const versionKeys = new Set([...touched.versions, ...targets.map((target) => `${target.model}/${target.version}`)]);
  const versions = [...versionKeys].flatMap((key) => {
    const slash = key.indexOf("/");
    return fleet.version(key.slice(0, slash), key.slice(slash + 1)) ?? [];
  });
  return [
    ...devices.map((device) => () => ({ type: "device" as const, device: deviceView(fleet, presence, device) })),
    ...fleet.groups
      .filter(({ name }) => groups.has(name))
      .map((group) => () => ({ type: "group" as const, group: groupView(fleet, presence, group) })),
    ...deployments
      .filter((deployment) => deployment !== undefined)
      .map((deployment) => () => ({ type: "deployment" as const, deployment: deploymentView(fleet, deployment) })),
    ...versions.map((version) => () => ({ type: "version" as const, version: versionView(fleet, version) })),
  ];
}
