// Two hundred devices on the real wire, seeded: waves, a bad version, offline devices, moves, races, a restart of the hub;
// at the end the promises are counted.
import { isInWave, type Deployment, type Digest, type OutcomeReport } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { simulateDevice, type Behaviour, type SimulatedDevice } from "./testing/simulated-device.ts";
import { openTestHub, until, type TestHub } from "./testing/test-hub.ts";

const DEVICES = 200;
const GROUPS = ["line-a", "line-b", "line-c"];
const LONG_MS = 60_000;

/** Mulberry32: small, and the same everywhere for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** v3 is bad on every device; v2 is good, but a few devices have no room for it. */
function behave(version: string, device: string): Behaviour {
  if (version === "v3") return "rolls-back";
  return version === "v2" && device.endsWith("7") ? "fails" : "keeps";
}

let hub: TestHub;
let fleet: SimulatedDevice[];
let digests: Map<string, Digest>;
beforeEach(async () => {
  hub = await openTestHub({ HUB_OFFLINE_AFTER_SECONDS: "4" });
  digests = new Map();
  for (const version of ["v1", "v2", "v3", "v4", "v5"]) digests.set(version, (await hub.register(version)).digest);
  const hubUrl = await hub.listen();
  const random = randomFrom(2_026);
  fleet = await Promise.all(
    Array.from({ length: DEVICES }, (_, index) =>
      simulateDevice({
        id: `edge-${String(index).padStart(3, "0")}`,
        group: GROUPS[index % GROUPS.length] ?? "",
        hubUrl,
        hubKey: hub.hub.keys.signing.publicKey,
        releaseKey: hub.releaseKey.publicKey,
        random: randomFrom(Math.floor(random() * 2 ** 31)),
        behave,
      }),
    ),
  );
}, LONG_MS);
afterEach(async () => {
  await Promise.all(fleet.map((device) => device.stop()));
  await hub.close();
});

const read = async (id: string) => (await hub.call("GET", `/api/v1/deployments/${id}`)).body as unknown as Deployment;
const becomes = (id: string, states: Deployment["state"][], deadlineMs = LONG_MS) =>
  until(async () => {
    const now = await read(id);
    return states.includes(now.state) && now;
  }, deadlineMs);
const everyoneRuns = (version: string, devices: readonly SimulatedDevice[]) =>
  until(async () => devices.every(({ current }) => current?.version === version), LONG_MS);

test(
  "promises 2, 4, 5 and 6 hold in a fleet that fails, goes away, moves and races while its hub is restarted",
  { timeout: 180_000 },
  async () => {
    const first = await hub.call("POST", "/mlops/models/v1/deploy-all", { override: { reason: "first start" } });
    await everyoneRuns("v1", fleet);
    await becomes(String(first.body["deployment_id"]), ["finished"]);

    // A good version in waves, some devices without room for it, a tenth of the fleet away, and the hub restarted in the middle.
    const away = fleet.filter((_, index) => index % 10 === 3);
    for (const device of away) device.setOffline(true);
    // Who is in a wave differs from run to run, with the deployment's id: of 20 devices no half are ever without room, of two they may be.
    const waves = [{ share: 0.3 }, { share: 1 }];
    const plan = { groups: GROUPS, waves, promote: "automatic", gate: { soak_seconds: 0 }, max_bad: { share: 0.5 } };
    const made = (await hub.call("POST", "/api/v1/deployments", { version: "v2", ...plan })).body;
    const good = String(made["id"]);
    await until(async () => (await read(good)).step >= 1, LONG_MS);
    await hub.restart();
    await until(async () => (await read(good)).step >= 3, LONG_MS);
    // Somebody moves devices between groups meanwhile.
    for (const { id } of fleet.slice(0, 10)) await hub.call("PATCH", `/api/v1/devices/${id}`, { group: "line-c" });
    // Presence gives everyone the benefit of the doubt after a restart: those who stay away become offline by time.
    for (const device of away) device.setOffline(false);
    const ended = await becomes(good, ["finished", "paused"]);
    expect(ended).toMatchObject({ state: "finished", step: 5 });
    const able = fleet.filter(({ id }) => behave("v2", id) === "keeps");
    await everyoneRuns("v2", able);
    const counted = await until(async () => {
      const { progress } = await read(good);
      return progress.committed === able.length && progress;
    }, LONG_MS);
    expect(counted.failed).toBe(DEVICES - able.length);

    // A bad one: nobody outside its first wave ever runs it, and two rollbacks put it out everywhere.
    const bad = (
      await hub.call("POST", "/api/v1/deployments", { version: "v3", ...plan, waves: [{ count: 5 }, { share: 1 }] })
    ).body;
    const halted = await becomes(String(bad["id"]), ["paused"]);
    await until(async () => (await hub.hub.store.versions.find("default", "v3"))?.stage === "quarantined", LONG_MS);
    const touched = fleet.filter(({ activated }) => activated.some(({ version }) => version === "v3"));
    expect(touched.length).toBeGreaterThan(0);
    expect(touched.length).toBeLessThanOrEqual(5);
    for (const { id } of touched) expect(isInWave(id, halted.id, halted.shares["line-a"] ?? 0)).toBe(true);
    expect(halted.state_reason).toMatch(/GOLDEN_MISMATCH/);

    // Two engineers at once: one wins, and the fleet follows that one.
    const put = (version: string) => hub.call("PUT", "/api/v1/groups/line-b/target", { version });
    const answers = await Promise.all([put("v4"), put("v5")]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const winner = answers[0]?.status === 200 ? "v4" : "v5";
    const groupOf = async (id: string) => (await hub.hub.store.devices.find(id))?.group_name;
    const ofLineB = (
      await Promise.all(fleet.map(async (device) => ((await groupOf(device.id)) === "line-b" ? [device] : [])))
    ).flat();
    await everyoneRuns(winner, ofLineB);

    // Promise 2: every outcome that the hub acknowledged is in its table, exactly once.
    await until(
      async () => fleet.every(({ acknowledged, activated }) => acknowledged.length >= activated.length),
      LONG_MS,
    );
    await Promise.all(fleet.map((device) => device.stop()));
    const keyOf = (one: OutcomeReport) => `${one.deployment_id}/${one.version}/${one.at}`;
    for (const { id, acknowledged } of fleet) {
      const kept = (await hub.hub.store.outcomes.ofDevice(id, 1_000)).map(({ report }) => keyOf(report));
      expect(kept.toSorted()).toEqual(acknowledged.map(keyOf).toSorted());
      expect(new Set(kept).size).toBe(kept.length);
    }
    expect(fleet.flatMap(({ violations }) => violations)).toEqual([]);
    // Promise 5: whatever is still open has a reason and a way out.
    for (const { state, state_reason } of await hub.hub.store.deployments.open()) {
      expect([state, state_reason]).toEqual([
        expect.stringMatching(/paused|running|rolling-back/),
        expect.stringMatching(/\w/),
      ]);
    }
  },
);
