// The store against a hand-driven hub and stream: connections that break, fetches that overlap, sign-ins that end.
import { describe, expect, test } from "vitest";
import { aDevice, aDeviceModel, anEvent, aSession } from "../testing/fixtures.ts";
import { handDriven } from "../testing/hand-driven.ts";
import type { Snapshot } from "./state.ts";
import { retryDelayMs, type FleetStore } from "./store.ts";

const running = (id: string, version: string) => aDevice(id, {}, aDeviceModel(version));
const snapshotWith = (version: string): Snapshot => ({
  session: aSession(),
  devices: [running("edge-001", version)],
  groups: [],
  versions: [],
  deployments: [],
});

/** Lets promises that are ready run; nothing here waits for time. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const versionOf = (store: FleetStore) => store.state.devices["edge-001"]?.models["default"]?.current?.version;

async function connected() {
  const driven = handDriven();
  await driven.store.start();
  driven.streams[0]?.fire("open");
  await settled();
  driven.held[0]?.resolve(snapshotWith("v2.0"));
  await settled();
  return driven;
}

describe("the store", () => {
  test("is live once the stream is open and everything was fetched", async () => {
    const { store } = await connected();
    expect(store.state).toMatchObject({ connection: "live", loaded: true });
    expect(versionOf(store)).toBe("v2.0");
  });

  test("tells its listeners of every change, and nobody who left", async () => {
    const { store, streams } = await connected();
    let calls = 0;
    const leave = store.subscribe(() => (calls += 1));
    streams[0]?.say({ type: "device", device: running("edge-001", "v2.1") });
    expect(calls).toBe(1);
    leave();
    streams[0]?.say({ type: "device", device: running("edge-001", "v2.2") });
    expect(calls).toBe(1);
  });

  test("what comes between two frames is shown together", async () => {
    const { store, streams, holdFrames } = await connected();
    const nextFrame = holdFrames();
    let calls = 0;
    store.subscribe(() => (calls += 1));
    for (const version of ["v2.1", "v2.2", "v2.3"])
      streams[0]?.say({ type: "device", device: running("edge-001", version) });
    expect([calls, versionOf(store)]).toEqual([0, "v2.0"]);
    nextFrame();
    expect([calls, versionOf(store)]).toEqual([1, "v2.3"]);
  });

  test("what waits for a frame when somebody signs out is never shown", async () => {
    const { store, streams, holdFrames } = await connected();
    const nextFrame = holdFrames();
    streams[0]?.say({ type: "device", device: running("edge-001", "v2.1") });
    await store.signOut();
    nextFrame();
    expect(store.state.devices).toEqual({});
  });

  test("a message that arrives during a fetch is not overwritten by the fetch's older answer", async () => {
    const { store, streams, held } = await connected();
    streams[0]?.say({ type: "reset" });
    await settled();
    streams[0]?.say({ type: "device", device: running("edge-001", "v2.1") });
    held[1]?.resolve(snapshotWith("v2.0"));
    await settled();
    expect(versionOf(store)).toBe("v2.1");
  });

  test("resets that come in a burst cost one more fetch, not one each", async () => {
    const { store, streams, held } = await connected();
    for (let burst = 0; burst < 5; burst += 1) streams[0]?.say({ type: "reset" });
    await settled();
    held[1]?.resolve(snapshotWith("v2.1"));
    await settled();
    held[2]?.resolve(snapshotWith("v2.2"));
    await settled();
    expect(held).toHaveLength(3);
    expect(versionOf(store)).toBe("v2.2");
  });

  test.each(["{ not json", '{"type":"weather"}', '{"type":"device","device":{"id":"edge-001"}}', "null"])(
    "a message that cannot be read (%s) leads to fetching everything, and changes nothing by itself",
    async (data) => {
      const { store, streams, held } = await connected();
      const before = store.state;
      streams[0]?.fire("message", data);
      expect(store.state).toBe(before);
      await settled();
      expect(held).toHaveLength(2);
    },
  );

  test("a failed fetch is tried again by itself although the stream stays open", async () => {
    const { store, streams, held, waiting } = await connected();
    streams[0]?.say({ type: "reset" });
    await settled();
    held[1]?.reject(new Error("503"));
    await settled();
    expect(store.state).toMatchObject({ connection: "lost", lostBecause: "503" });
    expect(waiting).toHaveLength(1);
    waiting[0]?.work();
    await settled();
    held[2]?.resolve(snapshotWith("v2.3"));
    await settled();
    expect(store.state).toMatchObject({ connection: "live", lostBecause: null });
    expect(versionOf(store)).toBe("v2.3");
    expect(waiting).toHaveLength(0);
  });

  test("a stream that is cut shows as lost, keeps what is known, and catches up when it opens again", async () => {
    const { store, streams, held } = await connected();
    streams[0]?.fire("error");
    expect(store.state.connection).toBe("lost");
    expect(versionOf(store)).toBe("v2.0");
    streams[0]?.fire("open");
    await settled();
    held[1]?.resolve(snapshotWith("v2.1"));
    await settled();
    expect(store.state.connection).toBe("live");
    expect(versionOf(store)).toBe("v2.1");
    expect(streams).toHaveLength(1);
  });

  test("a fetch that ends while the stream is cut does not claim to be live", async () => {
    const { store, streams, held } = await connected();
    streams[0]?.say({ type: "reset" });
    await settled();
    streams[0]?.fire("error");
    held[1]?.resolve(snapshotWith("v2.1"));
    await settled();
    expect(store.state.connection).toBe("lost");
  });

  test("a stream that the browser gave up is opened anew", async () => {
    const { store, streams, held, waiting } = await connected();
    const [first] = streams;
    if (!first) throw new Error("no stream was opened");
    first.readyState = 2;
    first.fire("error");
    waiting[0]?.work();
    await settled();
    expect(streams).toHaveLength(2);
    expect(first.isClosed).toBe(true);
    streams[1]?.fire("open");
    await settled();
    held[1]?.resolve(snapshotWith("v2.1"));
    await settled();
    expect(store.state.connection).toBe("live");
  });

  test("a stream refused because the sign-in expired leads to the sign-in form, with nothing of the fleet kept", async () => {
    const { store, hub, streams, waiting } = await connected();
    hub.session = aSession({ auth: "token", signed_in: false, user: null, role: null });
    const [first] = streams;
    if (first) first.readyState = 2;
    first?.fire("error");
    waiting[0]?.work();
    await settled();
    expect(store.state.session?.signed_in).toBe(false);
    expect(store.state.devices).toEqual({});
    expect(streams).toHaveLength(1);
  });

  test("a fetch that was under way when somebody signed out brings nothing back", async () => {
    const { store, streams, held } = await connected();
    streams[0]?.say({ type: "reset" });
    await settled();
    await store.signOut();
    held[1]?.resolve(snapshotWith("v2.1"));
    await settled();
    expect(store.state.session?.signed_in).toBe(false);
    expect(store.state.devices).toEqual({});
    expect(streams[0]?.isClosed).toBe(true);
  });

  test("signing in opens the stream that was not there before", async () => {
    const { store, hub, streams } = handDriven();
    hub.session = aSession({ auth: "token", signed_in: false });
    await store.start();
    expect(streams).toHaveLength(0);
    await store.signIn({ token: "a token" });
    expect(streams).toHaveLength(1);
  });

  test("a hub that is away at the start is asked again, ever more slowly", async () => {
    const { store, hub, waiting } = handDriven();
    hub.isReachable = false;
    await store.start();
    const delays: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const next = waiting.shift();
      delays.push(next?.delayMs ?? 0);
      next?.work();
      await settled();
    }
    expect(delays).toEqual([1_000, 2_000, 4_000]);
    expect(retryDelayMs(20)).toBe(30_000);
    hub.isReachable = true;
    waiting.shift()?.work();
    await settled();
    expect(store.state.session?.signed_in).toBe(true);
  });

  test("events are counted, so that the history knows to look again", async () => {
    const { store, streams } = await connected();
    streams[0]?.say({ type: "event", event: anEvent(7) });
    expect(store.state.lastEventId).toBe(7);
  });
});
