// A deployment's progress from carried counts, against going through every device: the same bins, whatever the fleet does.
import { DEFAULT_MODEL, DeploymentState, type Observed, type OutcomeReport } from "@context-edge/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { progressOf } from "./core/progress.ts";
import { fleetOf } from "./fleet.ts";
import { rememberStandings } from "./standings.ts";
import type { DeploymentRecord, DeviceRecord, TargetRecord } from "./store/records.ts";
import { progressNow } from "./strides.ts";
import { rememberTallies } from "./tallies.ts";
import { deviceRecord, observedRunning } from "./testing/many-devices.ts";
import { deployment, version } from "./testing/sample-records.ts";

const GROUPS = ["line-1", "line-2", "line-3"];
const IDS = ["edge-0", "edge-1", "edge-2", "edge-3", "edge-4", "edge-5", "edge-6", "edge-7"];
const DEPLOYMENTS = ["dep-1", "dep-2"];
const AT = "2026-01-01T00:00:00.000Z";
const TARGET_DIGEST = version.variants[0]?.digest ?? "";

const running = (digest: string, more: object = {}): Observed => {
  const { models, ...observed } = observedRunning("v1", digest);
  return { ...observed, models: { [DEFAULT_MODEL]: { ...models[DEFAULT_MODEL], ...more } as never } };
};
const outcome = (deployment_id: string, ended: OutcomeReport["outcome"], code: string) =>
  ({ deployment_id, version: "v1", outcome: ended, code, at: AT }) as OutcomeReport;
const ended = (outcomes: OutcomeReport): Partial<DeviceRecord> => ({
  observed: running("b".repeat(64)),
  last_outcomes: { [DEFAULT_MODEL]: outcomes },
});

/** What a device may have told, one of each that ends in another bin. */
const TOLD: Record<string, Partial<DeviceRecord>> = {
  nothing: {},
  "runs the target": { observed: running(TARGET_DIGEST) },
  "runs another": { observed: running("b".repeat(64)) },
  "tries it": { observed: running("b".repeat(64), { attempt: { phase: "probing" } }) },
  "waits for its window": { observed: running("b".repeat(64), { waiting: { for: "window", until: AT } }) },
  "is held": { observed: { ...running("b".repeat(64)), hold: { until: AT } as never } },
  "rolled back": ended(outcome("dep-1", "rolled-back", "LATENCY_OVER_BASELINE")),
  failed: ended(outcome("dep-2", "failed", "PROBE_FAILED")),
  "has no variant": ended(outcome("dep-1", "rejected", "NO_COMPATIBLE_VARIANT")),
};

const change = fc.oneof(
  fc.record({
    do: fc.constant("tell" as const),
    id: fc.constantFrom(...IDS),
    group: fc.constantFrom(...GROUPS),
    what: fc.constantFrom(...Object.keys(TOLD)),
  }),
  fc.record({ do: fc.constant("come or go" as const), id: fc.constantFrom(...IDS) }),
  fc.record({
    do: fc.constant("follow" as const),
    group: fc.constantFrom(...GROUPS),
    id: fc.constantFrom(null, ...DEPLOYMENTS),
  }),
  fc.record({
    do: fc.constant("steer" as const),
    id: fc.constantFrom(...DEPLOYMENTS),
    groups: fc.uniqueArray(fc.constantFrom(...GROUPS)),
    reached: fc.uniqueArray(fc.constantFrom(...GROUPS)),
    share: fc.constantFrom(0.5, 1),
    state: fc.constantFrom(...DeploymentState.options),
    late: fc.uniqueArray(fc.constantFrom(...IDS)),
  }),
);
const startsAnywhere = fc.array(fc.constantFrom(...Object.keys(TOLD)), {
  minLength: IDS.length,
  maxLength: IDS.length,
});

test("progress from what is carried along is what going through every device gives", () => {
  fc.assert(
    fc.property(startsAnywhere, fc.array(change, { maxLength: 20 }), (start, changes) => {
      const standings = rememberStandings();
      const tallies = rememberTallies(standings);
      const devices = new Map(
        IDS.map((id, n) => [id, deviceRecord(id, GROUPS[n % 2] ?? "", TOLD[start[n] ?? ""])] as const),
      );
      const online = new Set(IDS.slice(0, 5));
      const presence = {
        isOnline: (id: string) => online.has(id),
        countOnline: (ids: Iterable<string>) => [...ids].filter((id) => online.has(id)).length,
      };
      const deployments = new Map(
        DEPLOYMENTS.map((id, n): [string, DeploymentRecord] => [
          id,
          { ...deployment, id, groups: GROUPS, shares: { [GROUPS[n] ?? ""]: 1 } },
        ]),
      );
      const follows = new Map(DEPLOYMENTS.map((id, n) => [GROUPS[n] ?? "", id]));

      for (const step of [null, ...changes]) {
        if (step?.do === "tell") devices.set(step.id, deviceRecord(step.id, step.group, TOLD[step.what]));
        if (step?.do === "come or go" && !online.delete(step.id)) online.add(step.id);
        if (step?.do === "follow") {
          if (step.id === null) follows.delete(step.group);
          else follows.set(step.group, step.id);
        }
        if (step?.do === "steer") {
          const shares = Object.fromEntries(step.reached.map((group) => [group, step.share]));
          const late = Object.fromEntries(step.late.map((id) => [id, { phase: "probing" as const, at: AT }]));
          const { id, groups, state } = step;
          deployments.set(id, { ...deployment, id, groups, shares, state, timed_out: late });
        }
        const fleet = fleetOf(
          {
            groups: [],
            targets: [...follows].map(([group_name, id]) => targetRecord(group_name, id)),
            devices: IDS.flatMap((id) => devices.get(id) ?? []),
            versions: new Map([["default/v1", version]]),
            deploymentsById: new Map(deployments),
          },
          presence,
          standings,
          tallies,
        );
        for (const one of deployments.values())
          expect(progressNow(fleet, presence, one)).toEqual(progressOf(fleet.members(one)));
      }
    }),
    { numRuns: 300 },
  );
});

function targetRecord(group_name: string, deployment_id: string): TargetRecord {
  const versions = { version: "v1", previous_version: null, outside_version: null };
  return { group_name, model: DEFAULT_MODEL, ...versions, deployment_id, since: AT };
}
