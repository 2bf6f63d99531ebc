// The command line as an operator uses it: against a running agent, and with none running.
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { strFromU8, unzipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeModel } from "../testing/fake-model.ts";
import { sealManifest, targetOf } from "../testing/signing.ts";
import { eventually, type TestDevice, testDevice } from "../testing/test-device.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" });

let device: TestDevice;
beforeEach(async () => {
  device = await testDevice();
});
afterEach(() => device.close());

interface Ended {
  code: number;
  out: string;
  err: string;
}

function cli(...words: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...device.environment };
    execFile(process.execPath, [MAIN, ...words], { env, timeout: 15_000 }, (error, out, err) => {
      const code = error ? (typeof error.code === "number" ? error.code : -1) : 0;
      resolve({ code, out, err });
    });
  });
}
const json = async (...words: string[]) => JSON.parse((await cli(...words, "--json")).out) as Record<string, unknown>;
/** Orders that the hub does not remember, numbered where it will not go by itself. */
function publishOutOfReach(): void {
  const { hubKey, releaseKey } = device.hub;
  const fifteenYearsAhead = Date.now() + 15 * 365 * 24 * 3_600_000;
  device.hub.publish(sealManifest(fifteenYearsAhead, [targetOf(good, releaseKey)], hubKey));
}
const currentVersion = () => device.hub.observed.at(-1)?.models["default"]?.current?.version;

describe("without a running agent", () => {
  test("help teaches commands, settings and exit codes; a wrong word exits 2 and says what to try", async () => {
    const helped = await cli("--help");
    expect(helped.code).toBe(0);
    for (const word of ["rollback", "AGENT_HUB_URL", "Exit codes"]) expect(helped.out).toContain(word);
    expect(await cli("instal")).toMatchObject({ code: 2, err: expect.stringContaining("USAGE") });
    expect(await cli("status", "--colour")).toMatchObject({ code: 2, err: expect.stringContaining("--help") });
    expect(await cli("hold")).toMatchObject({ code: 2, err: expect.stringContaining("--hours") });
    device.environment["AGENT_HUB_URL"] = "nonsense";
    expect(await cli("once")).toMatchObject({ code: 2, err: expect.stringContaining("AGENT_HUB_URL") });
  });

  test("status says where the link leads, and that no agent runs", async () => {
    device.hub.offer(good);
    await device.once();
    const said = await cli("status");
    expect(said.code).toBe(3);
    expect(said.out).toMatch(/model-v2\.0\.onnx \(v2\.0\)[\s\S]*NO_AGENT/);
    expect(await cli("check")).toMatchObject({ code: 3 });
  });

  test("a hold is kept for the next start, and can be ended", async () => {
    device.hub.offer(good);
    await device.once();
    expect(await cli("hold", "--hours", "2", "--reason", "belt is open")).toMatchObject({ code: 0 });
    device.hub.offer(better);
    expect(await device.once()).toBe(false);
    expect(await device.current()).toBe("model-v2.0.onnx");
    expect(device.hub.observed.at(-1)).toMatchObject({
      hold: { reason: "belt is open" },
      models: { default: { waiting: { for: "hold" } } },
    });
    expect(await cli("hold", "--release")).toMatchObject({ code: 0 });
    expect(await device.once()).toBe(true);
    expect(await device.current()).toBe("model-v2.1.onnx");
  });

  test("rollback puts the backup back, proves it, tells the hub, and refuses when there is none", async () => {
    device.hub.offer(good);
    await device.once();
    expect(await cli("rollback")).toMatchObject({ code: 4, out: expect.stringContaining("NO_BACKUP") });
    device.hub.offer(better);
    await device.once();
    expect(await cli("rollback")).toMatchObject({ code: 0, out: expect.stringContaining("v2.0 runs and is healthy") });
    expect(device.inference.served()).toBe(good.digest);
    expect(device.hub.outcomes.at(-1)).toMatchObject({
      outcome: "rolled-back",
      code: "ROLLED_BACK_BY_HAND",
      version: "v2.1",
    });
    // The hub still wants v2.1; the device has refused it.
    await device.once();
    expect(device.inference.served()).toBe(good.digest);
  });

  test("forget tells what is lost and does nothing, until it is told --yes", async () => {
    device.hub.offer(good);
    await device.once();
    publishOutOfReach();
    expect(await device.once()).toBe(true);
    device.hub.offer(better);
    expect(await device.once()).toBe(false);
    expect(device.hub.observed.at(-1)?.trouble?.code).toBe("MANIFEST_REPLAYED");
    expect(await cli("forget")).toMatchObject({
      code: 4,
      out: expect.stringMatching(/NOT_CONFIRMED.*refuses.*\d{13}.*signatures.*--yes/),
    });
    expect(await device.once()).toBe(false);
    expect(await cli("forget", "--yes")).toMatchObject({ code: 0 });
    expect(await device.current()).toBe("model-v2.0.onnx");
    expect(await device.once()).toBe(true);
    expect(await device.current()).toBe("model-v2.1.onnx");
  });

  test("a file from a stick is verified like a download, without one request for it", async () => {
    const stick = join(device.dir, "..", "stick");
    await mkdir(stick);
    await writeFile(join(stick, "any-name.onnx"), good.bytes);
    expect(await cli("import", stick)).toMatchObject({
      code: 0,
      out: expect.stringContaining(good.digest.slice(0, 12)),
    });
    device.hub.offer(good);
    expect(await device.once()).toBe(true);
    expect(device.inference.served()).toBe(good.digest);
    expect(device.hub.fetches).toEqual([]);
    expect(await cli("import", join(stick, "missing"))).toMatchObject({ code: 4 });
  });
});

describe("with a running agent", () => {
  let stop: () => Promise<void>;
  beforeEach(async () => {
    device.hub.offer(good);
    const child = device.spawn();
    stop = async () => {
      child.kill("SIGTERM");
      await eventually("the agent ends", () => child.exitCode !== null || child.signalCode !== null);
    };
    await eventually("v2.0 runs", () => currentVersion() === "v2.0" && device.hub.outcomes.length === 1);
  });
  afterEach(() => stop());

  test("status is healthy, a hold shows, release ends it", async () => {
    expect(await cli("status")).toMatchObject({ code: 0, out: expect.stringContaining("Running v2.0") });
    expect(await json("hold", "--hours", "1")).toMatchObject({ ok: true, data: { reason: "" } });
    device.hub.offer(better);
    await eventually("it waits", () => device.hub.observed.at(-1)?.models["default"]?.waiting?.for === "hold");
    expect(await json("status")).toMatchObject({ hold: { by: "device" } });
    expect(await cli("hold", "--release")).toMatchObject({ code: 0 });
    await eventually("v2.1 runs", () => currentVersion() === "v2.1");
    expect(await cli("rollback")).toMatchObject({ code: 0 });
    await eventually("v2.0 is back", () => currentVersion() === "v2.0");
    await eventually("the hub heard", () => device.hub.outcomes.at(-1)?.code === "ROLLED_BACK_BY_HAND");
    expect(await cli("rollback", "--model", "vision")).toMatchObject({
      code: 4,
      out: expect.stringContaining("MODEL_UNKNOWN"),
    });
  });

  test("a hold of the hub is kept, and one of the device may be longer", async () => {
    device.hub.hold({ until: "2999-01-01T00:00:00.000Z", reason: "audit" });
    device.hub.offer(better);
    await eventually("it waits", () => device.hub.observed.at(-1)?.models["default"]?.waiting?.for === "hold");
    expect(await json("status")).toMatchObject({ hold: { by: "hub", reason: "audit" } });
    device.hub.hold(null);
    await eventually("v2.1 runs", () => currentVersion() === "v2.1");
  });

  test("forget lets the running agent follow its hub again at once", async () => {
    publishOutOfReach();
    await eventually("it follows", () => (device.hub.observed.at(-1)?.manifest_sequence ?? 0) > Date.now());
    device.hub.offer(better);
    await eventually("it refuses", () => device.hub.observed.at(-1)?.trouble?.code === "MANIFEST_REPLAYED");
    expect(await json("forget", "--yes")).toMatchObject({ ok: true });
    await eventually("v2.1 runs", () => currentVersion() === "v2.1");
    await eventually("and the trouble is over", () => device.hub.observed.at(-1)?.trouble === null);
  });

  test("the diagnostics bundle opens and holds no credential", async () => {
    const out = join(device.dir, "..", "bundle.zip");
    expect(await cli("diagnose", "--out", out)).toMatchObject({ code: 0 });
    const files = unzipSync(await readFile(out));
    expect(Object.keys(files)).toEqual(expect.arrayContaining(["status.json", "README.txt"]));
    const identity = await readFile(join(device.dir, ".agent", "identity.json"), "utf8");
    const credential = /"credential":"([^"]+)"/.exec(identity)?.[1] ?? "";
    expect(credential.length).toBeGreaterThan(8);
    for (const bytes of Object.values(files)) expect(strFromU8(bytes)).not.toContain(credential);
    expect(await cli("diagnose", "--out", out)).toMatchObject({ code: 1, err: expect.stringContaining("OUT_FILE") });
  });
});
