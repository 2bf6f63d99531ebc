// Counts that are carried from one look at the fleet to the next, against counts made anew: the same for every look, in whatever order they are asked.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { TargetView } from "./core/sync.ts";
import { rememberStandings, type Standings } from "./standings.ts";
import type { DeviceRecord } from "./store/records.ts";
import { rememberTallies, type Tallies } from "./tallies.ts";
import { deviceRecord, observedRunning } from "./testing/many-devices.ts";

const GROUPS = ["line-1", "line-2"];
const DIGESTS = ["a".repeat(64), "b".repeat(64)];

const targetOf = (version: string): TargetView => ({
  version,
  deploymentId: `to-${version}`,
  previousVersion: null,
  outsideVersion: null,
  since: "2026-01-01T00:00:00.000Z",
  share: 1,
  paused: false,
  retry: 0,
  excused: {},
  digests: DIGESTS.slice(0, 1),
});
type Targets = Partial<Record<string, TargetView>>;

/** One look: these devices, and a target for both models of each group. */
function rollOf(devices: DeviceRecord[], targets: Targets) {
  const targetView = (group: string) => targets[group];
  return { devices, targetView, devicesOf: (group: string) => devices.filter((one) => one.group_name === group) };
}
type Roll = ReturnType<typeof rollOf>;

const GROUPS_FIRST = ["groups", "running"] as const;
/** What is asked first must not matter to the rest. */
function counted(tallies: Tallies, roll: Roll, order: readonly (keyof typeof ASK)[] = GROUPS_FIRST) {
  return Object.fromEntries(order.map((what) => [what, structuredClone(ASK[what](tallies, roll))]));
}
const ASK = {
  groups: (tallies: Tallies, roll: Roll) =>
    GROUPS.map((group) => {
      const { ids, sync, versions } = tallies.of(roll, group) ?? {};
      return { group, ids, sync, versions };
    }),
  running: (tallies: Tallies, roll: Roll) => tallies.running(roll),
};

const change = fc.oneof(
  fc.record({
    do: fc.constant("report" as const),
    id: fc.nat(5),
    group: fc.constantFrom(...GROUPS),
    model: fc.constantFrom("default", "other"),
    digest: fc.constantFrom(...DIGESTS),
    version: fc.constantFrom("v1", "v2"),
  }),
  fc.record({ do: fc.constant("leave" as const), id: fc.nat(5) }),
  fc.record({
    do: fc.constant("target" as const),
    group: fc.constantFrom(...GROUPS),
    version: fc.constantFrom(null, "v1", "v2"),
  }),
);

const ORDER = fc.constantFrom(GROUPS_FIRST, GROUPS_FIRST.toReversed());

test("whatever changes, and also when an older look is asked after a newer one, the counts are those made anew", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(change, fc.boolean(), ORDER), { maxLength: 30 }), (steps) => {
      const standings = rememberStandings();
      const tallies = rememberTallies(standings);
      const byId = new Map<string, DeviceRecord>();
      let targets: Targets = {};
      let older = rollOf([], targets);
      for (const [step, looksBack, order] of steps) {
        if (step.do === "leave") byId.delete(`edge-${step.id}`);
        else if (step.do === "target") {
          const { [step.group]: _old, ...others } = targets;
          targets = step.version === null ? others : { ...others, [step.group]: targetOf(step.version) };
        } else {
          const { models, ...observed } = observedRunning(step.version, step.digest);
          const seen = { ...observed, models: { [step.model]: models["default"] as never } };
          byId.set(`edge-${step.id}`, deviceRecord(`edge-${step.id}`, step.group, { observed: seen }));
        }
        const newer = rollOf([...byId.values()].toSorted(byIdInOrder), targets);
        for (const roll of looksBack ? [newer, older] : [newer])
          expect(counted(tallies, roll, order)).toEqual(counted(rememberTallies(standings), roll));
        older = newer;
      }
    }),
  );
});

test("among a thousand devices, one that reported is counted again and no other", () => {
  const asked: string[] = [];
  const inner = rememberStandings();
  const standings: Standings = {
    ...inner,
    of(device, model, target) {
      asked.push(device.id);
      return inner.of(device, model, target);
    },
  };
  const tallies = rememberTallies(standings);
  const devices = Array.from({ length: 1_000 }, (_, n) => deviceRecord(`edge-${n}`, "line-1"));
  tallies.of(rollOf(devices, {}), "line-1");
  asked.length = 0;
  const news = deviceRecord("edge-7", "line-1", { observed: observedRunning("v1", "a".repeat(64)) });
  const next = rollOf(devices.with(7, news), {});
  expect(tallies.of(next, "line-1")?.versions).toEqual(
    new Map([
      ["none", 999],
      ["v1", 1],
    ]),
  );
  expect(new Set(asked)).toEqual(new Set(["edge-7"]));
});

function byIdInOrder(a: DeviceRecord, b: DeviceRecord): number {
  return a.id < b.id ? -1 : 1;
}
