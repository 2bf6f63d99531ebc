// Runs that are interrupted: killed, stopped, or left alone by the hub; the next start goes on where they ended, to the same bytes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layOutHub, type HubProcess } from "./hub-process.ts";
import { findPython } from "./python.ts";
import { epochsOf, startTraining, type Told } from "./training-run.ts";

const python = await findPython();
/** Epochs that last long enough to be killed in one. */
const LONG = { TRAINING_SAMPLES: "20000", TRAINING_EPOCHS: "8", TRAINING_DROPOUT: "0.2" };

describe.skipIf(!python.ok)("a run that is interrupted", () => {
  const path = python.ok ? python.path : "";
  let hub: HubProcess;
  let token: string;
  beforeAll(async () => {
    hub = await layOutHub();
    await hub.start();
    token = await hub.token("publisher");
    await hub.stop();
  });
  afterAll(() => hub.close());
  const start = (model: string, more: Record<string, string> = {}) =>
    startTraining(path, {
      CONTEXT_EDGE_URL: hub.url,
      CONTEXT_EDGE_TOKEN: token,
      CONTEXT_EDGE_RELEASE_KEY_FILE: hub.releaseKeyFile,
      TRAINING_MODEL: model,
      TRAINING_WORK: join(hub.dir, model),
      ...more,
    });
  const isEpoch = (number: number) => (told: Told) => told.event === "epoch" && told["epoch"] === number;

  test("because the hub is away at the start waits for it; because it goes away in between ends 5, and is only published the next time", async () => {
    const waiting = start("waits", { ...LONG, TRAINING_PATIENCE: "3" });
    expect(await waiting.ended).toMatchObject({
      code: 5,
      told: expect.arrayContaining([expect.objectContaining({ code: "HUB_UNREACHABLE" })]),
    });

    const run = start("waits", { ...LONG, TRAINING_PATIENCE: "60" });
    await run.tells(({ event }) => event === "waiting");
    await hub.start();
    await run.tells(isEpoch(1));
    await hub.stop();
    await run.tells(isEpoch(8));
    // Its patience lasts longer than this test's: it is stopped as a container's host would.
    await run.tells(
      ({ event, message }) => event === "waiting" && message.includes("hub") && run.told.some(isEpoch(8)),
    );
    run.child.kill("SIGTERM");
    expect(await run.ended).toMatchObject({ code: 143 });

    await hub.start();
    const published = await start("waits", LONG).ended;
    expect([published.code, epochsOf(published.told)], published.stderr).toEqual([0, []]);
    expect(await hub.versions("waits")).toMatchObject([{ stage: "pending", training_samples: 20_000 }]);
  });

  test("by SIGKILL in the middle of training ends with the same file to the bit as one that never was", async () => {
    const run = start("killed", LONG);
    await run.tells(isEpoch(3));
    run.child.kill("SIGKILL");
    const killed = await run.ended;
    expect([killed.code, killed.signal]).toEqual([null, "SIGKILL"]);
    expect(epochsOf(killed.told).length).toBeLessThan(8);

    const ended = await start("killed", LONG).ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.told.find(({ event }) => event === "going-on")).toBeDefined();
    const [first] = epochsOf(ended.told);
    expect(Number(first)).toBeGreaterThan(3);
    expect(epochsOf(ended.told).at(-1)).toBe(8);

    const whole = await start("whole", { ...LONG, TRAINING_NO_HUB: "1", CONTEXT_EDGE_URL: "" }).ended;
    expect([whole.code, epochsOf(whole.told)], whole.stderr).toEqual([0, [1, 2, 3, 4, 5, 6, 7, 8]]);
    const [version] = await hub.versions("killed");
    const fileOf = (model: string) =>
      readFileSync(join(hub.dir, model, "done", version?.version_id ?? "", "model.onnx"));
    expect(fileOf("killed").equals(fileOf("whole"))).toBe(true);
  });

  test("by SIGTERM ends 143, and a second run in its directory meanwhile ends 8", async () => {
    const run = start("stopped", { ...LONG, TRAINING_EPOCHS: "200" });
    await run.tells(isEpoch(1));
    expect(await start("stopped").ended).toMatchObject({ code: 8, told: [{ code: "RUN_UNDER_WAY" }] });
    run.child.kill("SIGTERM");
    const ended = await run.ended;
    expect(ended.code).toBe(143);
    expect(ended.told.at(-1)).toMatchObject({ event: "failed", code: "STOPPED" });
  });
});
