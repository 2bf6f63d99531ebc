// Known credentials: looked up once, forgotten when the device changes, also in the very moment of being looked up, and never more than fit.
import { expect, test } from "vitest";
import type { Listener } from "./changes.ts";
import { hashSecret } from "./auth/secrets.ts";
import { rememberIdentities } from "./identities.ts";
import { credentialOf, deviceRecord } from "./testing/many-devices.ts";

function setUp(generation?: number) {
  const group = { now: "plant" };
  const listeners: Listener[] = [];
  let lookups = 0;
  let pause = Promise.resolve();
  const byHash = new Map(["a", "b", "c", "d"].map((id) => [hashSecret(credentialOf(id)), id]));
  const store = { devices: { byCredential: async () => undefined } as never };
  const changes = { listen: (listener: Listener) => (listeners.push(listener), () => true) };
  const memory = {
    fleet: () => pause.then(() => undefined as never),
    byCredential: (hash: string) => {
      lookups += 1;
      const id = byHash.get(hash);
      return id === undefined ? undefined : deviceRecord(id, group.now);
    },
  };
  return {
    group,
    identities: rememberIdentities({ store, changes, memory }, generation),
    lookups: () => lookups,
    hold: (until: Promise<void>) => void (pause = until),
    tell: (kind: string, subject: string) => {
      const event = { id: 1, at: "", kind, actor: "", subject, summary: "", data: {} };
      for (const listener of listeners) listener({ kind: "event", event });
    },
  };
}
const header = (id: string) => `Bearer ${credentialOf(id)}`;

test.each([
  "device.moved",
  "device.held",
  "device.released",
  "device.revoked",
  "device.enrolled",
  "device.anything-new",
])("%s makes the hub look again, for that device only", async (kind) => {
  const { identities, tell } = setUp();
  for (const id of ["a", "b"]) await identities.identify(header(id));
  tell(kind, "a");
  expect(identities.known(header("a"))).toBeUndefined();
  expect(identities.known(header("b"))).toMatchObject({ id: "b" });
});

test("whoever holds what was found before a change, or what is not remembered any more, is told to look again", async () => {
  const { identities, tell } = setUp(1);
  const [a, b] = [await identities.identify(header("a")), await identities.identify(header("b"))];
  expect([a, b].map((one) => identities.isCurrent(one))).toEqual([true, true]);
  tell("device.moved", "a");
  expect([a, b].map((one) => identities.isCurrent(one))).toEqual([false, true]);
  for (const id of ["c", "d"]) await identities.identify(header(id));
  expect(identities.known(header("b"))).toBeUndefined();
  expect(identities.isCurrent(b)).toBe(false);
});

test("how an attempt ended says nothing about who a device is", async () => {
  const { identities, tell } = setUp();
  await identities.identify(header("a"));
  for (const kind of ["device.committed", "device.failed"]) tell(kind, "a");
  expect(identities.known(header("a"))).toBeDefined();
});

test("a device that is moved in the moment it is looked up is not remembered where it was", async () => {
  const { identities, tell, group, hold } = setUp();
  const gate = Promise.withResolvers<void>();
  hold(gate.promise);
  const asked = identities.identify(header("a"));
  tell("device.moved", "a");
  group.now = "office";
  gate.resolve();
  expect(await asked).toMatchObject({ group_name: "office" });
  expect(identities.known(header("a"))).toMatchObject({ group_name: "office" });
});

test("no more are kept than two generations, and whoever keeps coming stays", async () => {
  const { identities, lookups } = setUp(2);
  await identities.identify(header("a"));
  await identities.identify(header("b"));
  await identities.identify(header("c"));
  expect(identities.known(header("a")), "moved to the young").toBeDefined();
  await identities.identify(header("d"));
  expect(identities.known(header("b"))).toBeUndefined();
  expect(identities.known(header("a"))).toBeDefined();
  expect(lookups()).toBe(4);
});
