// Fifty devices on an ordinary day: a pilot that has passed, a wave that went wrong, a rollout under way, and the usual troubles.
import { isInWave, type Deployment, type Measurement, type OutcomeReport } from "@context-edge/protocol";
import { castInGroups, characterOf, GROUPS, ORIN, randomFrom, XAVIER, XAVIERS } from "./cast.ts";
import { storyDevice, type StoryDevice } from "./devices.ts";
import { openStoryHub, type StoryHub } from "./hub.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const STEP_MINUTES = 10;
export interface Story extends StoryHub {
  /** Ids of what the story is about, to go to. */
  deployments: Record<"pilot" | "halted" | "running", string>;
  device(id: string): StoryDevice;
}

export async function tellStory(env: Record<string, string> = {}): Promise<Story> {
  // As long as what follows takes, so that the story ends now.
  const site = await openStoryHub(28.3 * HOUR_MS, { HUB_OFFLINE_AFTER_SECONDS: "900", ...env });
  const { clock, call } = site;
  const groupOf = castInGroups();
  for (const [group] of GROUPS)
    await site.enrol(
      [...groupOf].flatMap(([id, name]) => (name === group ? [id] : [])),
      group,
    );
  const random = randomFrom(2_026);
  const devices = new Map(
    [...groupOf.keys()].map((id) => [
      id,
      storyDevice(site.app, () => clock.now(), characterOf(id, randomFrom(Math.floor(random() * 2 ** 31)))),
    ]),
  );
  const device = (id: string): StoryDevice => {
    const found = devices.get(id);
    if (!found) throw new Error(`no ${id} in this story`);
    return found;
  };
  const digests = new Map<string, string[]>();
  const digestFor = (version: string, id: string) => {
    const [orin = "", xavier = orin] = digests.get(version) ?? [];
    return XAVIERS.has(id) ? xavier : orin;
  };
  const asked = async (path: string, body: object, method: "POST" | "PUT" = "POST") =>
    (await call(method, path, body)) as unknown as Deployment;
  const becomes = async (id: string, states: readonly Deployment["state"][]) => {
    for (const endMs = performance.now() + 20_000; performance.now() < endMs;) {
      const now = (await call("GET", `/api/v1/deployments/${id}`)) as unknown as Deployment;
      if (states.includes(now.state)) return now;
      site.hub.conductor.wake();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { state, state_reason } = (await call("GET", `/api/v1/deployments/${id}`)) as unknown as Deployment;
    throw new Error(`${id} is ${state} (${state_reason}) and never became ${states.join(" or ")}`);
  };
  const measured = (p95: number): Measurement => ({
    samples: 100,
    errors: 0,
    mean_ms: p95 * 0.84,
    p50_ms: p95 * 0.82,
    p95_ms: p95,
    max_ms: p95 * 1.3,
    at: new Date(clock.now()).toISOString(),
    tags: { power_mode: "MAXN" },
  });
  const outcome = (
    id: string,
    version: string,
    deployment_id: string,
    some: Partial<OutcomeReport>,
  ): OutcomeReport => ({
    model: "default",
    version,
    digest: digestFor(version, id),
    deployment_id,
    outcome: "committed",
    code: "OK",
    message: `${version} runs and was watched for 60 s`,
    next_step: "",
    at: new Date(clock.now()).toISOString(),
    evidence: {},
    ...some,
  });
  const commit = async (id: string, version: string, deployment: string) => {
    const before = XAVIERS.has(id) ? 16.9 : 9.4;
    device(id).run(version, digestFor(version, id));
    const evidence = {
      baseline: measured(before * (0.97 + random() * 0.06)),
      candidate: measured(before * (0.9 + random() * 0.08)),
      limit_p95_ms: before * 1.25 + 2,
      golden: { checked: 32, failed: 0 },
    };
    await device(id).report({ outcome: outcome(id, version, deployment, { evidence }) });
  };
  const ofGroup = (...names: string[]) => [...groupOf].flatMap(([id, group]) => (names.includes(group) ? [id] : []));
  const all = () => [...groupOf.keys()];
  /** Everybody works on, and says so, for so long. */
  const goOn = async (hours: number, except: ReadonlySet<string> = new Set()) => {
    for (let done = 0; done < hours * 60; done += STEP_MINUTES) {
      clock.advance(STEP_MINUTES * MINUTE_MS);
      for (const id of all()) {
        if (except.has(id)) continue;
        const errors = random() < 0.004 ? 1 : 0;
        await device(id).report({ minutes: STEP_MINUTES, errors });
      }
    }
  };

  // Long ago: v1.9 everywhere, then v2.0.
  for (const [version, like, accuracy] of [
    ["v1.9", "v2.0", 0.902],
    ["v2.0", "v2.0", 0.918],
  ] as const) {
    digests.set(version, await site.register(version, like, [ORIN, XAVIER], accuracy));
    for (const id of all()) await device(id).report();
    const made = await call("POST", `/mlops/models/${version}/deploy-all`, {
      override: { reason: "first start of the plant" },
    });
    for (const id of all()) await commit(id, version, String(made["deployment_id"]));
    await becomes(String(made["deployment_id"]), ["finished"]);
    clock.advance(20 * MINUTE_MS);
  }
  digests.set("v1.8", await site.register("v1.8", "v2.3", [ORIN, XAVIER], 0.884));
  await call("POST", "/mlops/models/v1.8/reject", { reason: "worse on worn bearings than what runs" });
  digests.set("v2.0-rc1", await site.register("v2.0-rc1", "v2.2", [ORIN], 0.915));
  await call("POST", "/api/v1/quarantines", { version: "v2.0-rc1", reason: "leaks GPU memory after some hours" });

  await goOn(2);

  // Yesterday: v2.1 on the pilot, watched for a day, labelled by the shift.
  digests.set("v2.1", await site.register("v2.1", "v2.1", [ORIN, XAVIER]));
  const pilotIds = ofGroup("pilot");
  const pilot = await call("POST", "/mlops/models/v2.1/deploy-pilot", { pilot_device_ids: pilotIds });
  const pilotId = String(pilot["deployment_id"]);
  for (const id of pilotIds) await commit(id, "v2.1", pilotId);
  await becomes(pilotId, ["soaking"]);
  const classes = ["normal", "bearing_wear", "imbalance", "overheating"];
  for (let hour = 0; hour < 25; hour += 1) {
    await goOn(1);
    for (const [version, right] of [
      ["v2.1", 0.955],
      ["v2.0", 0.921],
    ] as const) {
      const outcomes = Array.from({ length: 24 }, (_, index) => {
        const actual = classes[Math.floor(random() ** 2 * classes.length)] ?? "normal";
        const predicted = random() < right ? actual : (classes[Math.floor(random() * classes.length)] ?? "normal");
        const at = new Date(clock.now() - index * 120_000).toISOString();
        return { device_id: pilotIds[index % 5], prediction_id: `${version}-${hour}-${index}`, predicted, actual, at };
      });
      await call("POST", `/mlops/deployment/${version}/outcomes`, { outcomes });
    }
  }
  await becomes(pilotId, ["awaiting-approval"]);

  // This morning: a version that is wrong meets the first two devices of a wave.
  digests.set("v2.3", await site.register("v2.3", "v2.3", [ORIN, XAVIER]));
  const waves = [{ count: 2 }, { share: 0.5 }, { share: 1 }];
  const bad = await asked("/api/v1/deployments", {
    version: "v2.3",
    groups: ["packaging"],
    waves,
    reason: "asked by the line",
  });
  const firstWave = ofGroup("packaging").filter((id) => isInWave(id, bad.id, bad.shares["packaging"] ?? 0));
  const [unlucky = "", other = ""] = firstWave;
  await commit(other, "v2.3", bad.id);
  await device(unlucky).report({
    outcome: outcome(unlucky, "v2.3", bad.id, {
      outcome: "rolled-back",
      code: "GOLDEN_MISMATCH",
      message: "2 of 32 golden samples were answered wrongly: class_scores[3] was 0.12 instead of 0.91",
      next_step: "Look at how the model was exported; this device runs v2.0 again.",
      evidence: { golden: { checked: 32, failed: 2 }, baseline: measured(9.4), restored: measured(9.3) },
    }),
  });
  await becomes(bad.id, ["paused"]);
  digests.set("v2.2", await site.register("v2.2", "v2.2", [ORIN]));
  await goOn(0.5, new Set(["edge-031"]));

  // Right now: a small fix goes to line 2, and three devices have troubles of their own.
  digests.set("v2.0.1", await site.register("v2.0.1", "v2.0", [ORIN, XAVIER], 0.919));
  const fix = await asked("/api/v1/deployments", {
    version: "v2.0.1",
    groups: ["line-2", "line-3"],
    waves: [{ share: 0.5 }, { share: 1 }],
    gate: { soak_seconds: 3_600 },
    promote: "automatic",
    on_fail: "roll-back",
    reason: "memory leak of the pre-processing",
  });
  const moving = ofGroup("line-2").filter((id) => isInWave(id, fix.id, fix.shares["line-2"] ?? 0));
  clock.advance(6 * MINUTE_MS);
  for (const [index, id] of moving.entries()) {
    const startedAt = new Date(clock.now() - 70_000).toISOString();
    const phases = ["downloading", "verifying", "probing"] as const;
    if (index === 0) await commit(id, "v2.0.1", fix.id);
    const phase = phases[index - 1];
    if (index === 0 || !phase) continue;
    const steps = ["downloading" as const, "verifying" as const, "activating" as const, "probing" as const];
    device(id).attempt({
      deployment_id: fix.id,
      version: "v2.0.1",
      digest: digestFor("v2.0.1", id),
      phase,
      started_at: startedAt,
      steps: steps.slice(0, steps.indexOf(phase) + 1).map((one) => ({ phase: one, at: startedAt })),
      download:
        phase === "downloading"
          ? { bytes: 61_000_000, total_bytes: 94_000_000, rate_bytes_per_s: 2_400_000, left_s: 14 }
          : null,
    });
  }
  await call("PATCH", "/api/v1/devices/edge-018", {
    hold: { hours: 6, reason: "line 2 runs a customer audit until the afternoon" },
  });
  device("edge-027").become({
    trouble: {
      code: "DISK_FULL",
      message: "there is no room for another model: 180 MB are free, 240 MB are needed",
      next_step: "Free some space on the device, or raise its budget.",
    },
  });
  clock.arrive();
  for (const id of all()) {
    if (id === "edge-031") continue;
    await device(id).report({ minutes: 1 });
    site.hub.presence.hold(id);
  }
  await becomes(fix.id, ["running"]);
  return { ...site, device, deployments: { pilot: pilotId, halted: bad.id, running: fix.id } };
}
