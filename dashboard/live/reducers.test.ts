// Every message of the stream and every snapshot, applied to a state: what changes, what stays, and what is left alone.
import type { LiveMessage } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import {
  aDeployment,
  aDevice,
  aDeviceModel,
  aGroup,
  anAttempt,
  anEvent,
  aSession,
  aVersion,
} from "../testing/fixtures.ts";
import { applyConnection, applyMessages, applySession, applySnapshot, versionKey } from "./reducers.ts";
import { EMPTY_STATE, type FleetState } from "./state.ts";

const SNAPSHOT = {
  session: aSession(),
  devices: [aDevice("edge-001"), aDevice("edge-002")],
  groups: [aGroup("pilot"), aGroup("line-1")],
  versions: [aVersion("v2.0", { stage: "approved" }), aVersion("v2.1")],
  deployments: [aDeployment("dep-0", { state: "finished" })],
};
const applyMessage = (state: FleetState, message: LiveMessage) => applyMessages(state, [message]);
const LOADED: FleetState = applySnapshot(EMPTY_STATE, SNAPSHOT);

const MESSAGES: [name: string, message: LiveMessage, changed: keyof FleetState, key: string, value: unknown][] = [
  [
    "a known device",
    { type: "device", device: aDevice("edge-001", { online: false }) },
    "devices",
    "edge-001",
    { online: false },
  ],
  ["a new device", { type: "device", device: aDevice("edge-009") }, "devices", "edge-009", { id: "edge-009" }],
  [
    "a known group",
    { type: "group", group: aGroup("pilot", { devices_total: 5 }) },
    "groups",
    "pilot",
    { devices_total: 5 },
  ],
  ["a new group", { type: "group", group: aGroup("line-9") }, "groups", "line-9", { name: "line-9" }],
  [
    "a known version",
    { type: "version", version: aVersion("v2.1", { stage: "approved" }) },
    "versions",
    "default/v2.1",
    { stage: "approved" },
  ],
  ["a new version", { type: "version", version: aVersion("v3.0") }, "versions", "default/v3.0", { version_id: "v3.0" }],
  [
    "a known deployment",
    { type: "deployment", deployment: aDeployment("dep-0", { state: "rolled-back" }) },
    "deployments",
    "dep-0",
    { state: "rolled-back" },
  ],
  [
    "a new deployment",
    { type: "deployment", deployment: aDeployment("dep-1") },
    "deployments",
    "dep-1",
    { state: "running" },
  ],
];

describe("a message of the stream", () => {
  test.each(MESSAGES)("about %s replaces just that one", (_, message, changed, key, value) => {
    const next = applyMessage(LOADED, message);
    const before = LOADED[changed] as Record<string, unknown>;
    const after = next[changed] as Record<string, unknown>;
    expect(after[key]).toMatchObject(value as object);
    for (const other of Object.keys(before)) if (other !== key) expect(after[other]).toBe(before[other]);
    const rosterToo = changed === "devices" ? ["roster"] : [];
    for (const other of Object.keys(LOADED) as (keyof FleetState)[])
      if (other !== changed && !rosterToo.includes(other)) expect(next[other]).toBe(LOADED[other]);
  });

  test.each(MESSAGES)("about %s leaves the state it was applied to as it was", (_, message) => {
    const copy = structuredClone(LOADED);
    applyMessage(LOADED, message);
    expect(LOADED).toEqual(copy);
  });

  test.each(MESSAGES)("about %s may come twice", (_, message) => {
    const once = applyMessage(LOADED, message);
    expect(applyMessage(once, message)).toEqual(once);
  });

  test("replaces a device whole: an attempt that is over does not linger", () => {
    const moving = aDevice("edge-001", {}, aDeviceModel("v2.0", { attempt: anAttempt("v2.1", ["downloading"]) }));
    const settled = aDevice("edge-001", {}, aDeviceModel("v2.1"));
    const state = [moving, settled].reduce((now, device) => applyMessage(now, { type: "device", device }), LOADED);
    expect(state.devices["edge-001"]).toEqual(settled);
  });

  test("moves a device to its new group and leaves no copy in the old one", () => {
    const state = applyMessage(LOADED, { type: "device", device: aDevice("edge-001", { group: "pilot" }) });
    expect(Object.values(state.devices).filter(({ id }) => id === "edge-001")).toHaveLength(1);
    expect(state.devices["edge-001"]?.group).toBe("pilot");
  });

  test("many messages at once are what they would be one by one", () => {
    const more: LiveMessage[] = [
      ...MESSAGES.map(([, message]) => message),
      { type: "event", event: anEvent(3, { kind: "device.decommissioned", subject: "edge-002" }) },
      { type: "device", device: aDevice("edge-001", { group: "pilot" }) },
      { type: "event", event: anEvent(4, { kind: "group.deleted", subject: "line-1" }) },
    ];
    expect(applyMessages(LOADED, more)).toEqual(more.reduce(applyMessage, LOADED));
    expect(applyMessages(LOADED, [])).toBe(LOADED);
  });

  test("the roster stands in order, by group, and moves whoever moved", () => {
    const many = ["edge-10", "edge-9", "edge-2"].map((id) => ({ type: "device" as const, device: aDevice(id) }));
    const state = applyMessages(LOADED, many);
    expect(state.roster.all.map(({ id }) => id)).toEqual(["edge-001", "edge-002", "edge-2", "edge-9", "edge-10"]);
    const moved = applyMessage(state, { type: "device", device: aDevice("edge-9", { group: "pilot" }) });
    expect(moved.roster.byGroup.get("pilot")?.map(({ id }) => id)).toEqual(["edge-9"]);
    expect(moved.roster.byGroup.get("line-1")?.map(({ id }) => id)).not.toContain("edge-9");
    expect(moved.roster.all.find(({ id }) => id === "edge-10")).toBe(state.devices["edge-10"]);
    const away = { ...aDevice("edge-9", { group: "pilot" }), online: false };
    const elsewhere = applyMessage(moved, { type: "device", device: away });
    expect(elsewhere.roster.byGroup.get("line-1"), "nobody there changed").toBe(moved.roster.byGroup.get("line-1"));
  });

  test("a decommissioned device is gone from the lists at once", () => {
    const id = "edge-001";
    const said = { kind: "device.decommissioned", subject: id };
    const without = applyMessage(LOADED, { type: "event", event: anEvent(1, said) });
    expect(without.devices).not.toHaveProperty(id);
    expect(without.roster.all.map((device) => device.id)).toEqual(["edge-002"]);
    expect(applyMessage(LOADED, { type: "event", event: anEvent(1, { subject: id }) }).devices).toBe(LOADED.devices);
  });
  test("a deleted group is gone at once, and one that is made anew by its name is there again", () => {
    const [name] = Object.keys(LOADED.groups);
    const group = LOADED.groups[name ?? ""];
    if (!name || !group) throw new Error("the fixture has no group");
    const deleted: LiveMessage = { type: "event", event: anEvent(1, { kind: "group.deleted", subject: name }) };
    expect(applyMessage(LOADED, deleted).groups).not.toHaveProperty([name]);
    expect(applyMessages(LOADED, [deleted, { type: "group", group }]).groups[name]).toEqual(group);
  });
  test("events raise the last id and never lower it, so a replay after a reconnection does no harm", () => {
    const late = applyMessage(LOADED, { type: "event", event: anEvent(9) });
    expect(late.lastEventId).toBe(9);
    expect(applyMessage(late, { type: "event", event: anEvent(4) }).lastEventId).toBe(9);
  });

  test("a reset changes nothing by itself: what is known stays shown until the fetch is there", () => {
    expect(applyMessage(LOADED, { type: "reset" })).toBe(LOADED);
  });

  test("two models may have versions of the same name", () => {
    const other = aVersion("v2.1", { model: "vision", accuracy: 0.5 });
    const state = applyMessage(LOADED, { type: "version", version: other });
    expect(state.versions[versionKey(other)]).toEqual(other);
    expect(state.versions["default/v2.1"]?.accuracy).toBe(0.941);
  });
});

describe("a snapshot", () => {
  test("replaces the lists, so that what is gone is gone", () => {
    const state = applySnapshot(LOADED, { ...SNAPSHOT, devices: [aDevice("edge-007")], groups: [] });
    expect(Object.keys(state.devices)).toEqual(["edge-007"]);
    expect(state.groups).toEqual({});
  });

  test("keeps the connection and the last event as they are", () => {
    const before: FleetState = { ...LOADED, connection: "lost", lastEventId: 12 };
    expect(applySnapshot(before, SNAPSHOT)).toMatchObject({ connection: "lost", lastEventId: 12, loaded: true });
  });

  test("followed by the messages of the meantime is what the messages say", () => {
    const message: LiveMessage = { type: "device", device: aDevice("edge-002", { online: false }) };
    expect(applyMessage(applySnapshot(EMPTY_STATE, SNAPSHOT), message).devices["edge-002"]?.online).toBe(false);
  });
});

describe("connection and session", () => {
  test("the same connection again is the same state, so that nobody renders for nothing", () => {
    expect(applyConnection(LOADED, LOADED.connection)).toBe(LOADED);
  });

  test("a lost connection keeps what was known, to be read as old", () => {
    const lost = applyConnection(LOADED, "lost");
    expect(lost.devices).toBe(LOADED.devices);
    expect(lost.connection).toBe("lost");
  });

  test("whoever is signed out keeps nothing of the fleet", () => {
    const state = applySession(LOADED, aSession({ auth: "token", signed_in: false, user: null }));
    expect(state).toMatchObject({ loaded: false, devices: {}, versions: {}, deployments: {}, groups: {} });
  });

  test("a session that goes on leaves the fleet alone", () => {
    expect(applySession(LOADED, aSession({ user: "someone" })).devices).toBe(LOADED.devices);
  });
});
