// From `publish --build` to an engine that serves: a real hub, a real agent and the command line; trtexec alone is a stand-in.
import { execFile } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Device, recipeDigest, BuildRecipe } from "@context-edge/protocol";
import { type FakeModel, fakeModel } from "@context-edge/agent/testing/fake-model.ts";
import { GOLDEN, QUICK_POLICY } from "@context-edge/agent/testing/signing.ts";
import { type StandInTrtexec, standInTrtexec } from "@context-edge/agent/testing/stand-in-trtexec.ts";
import { tempDir } from "@context-edge/agent/testing/temp-dir.ts";
import { eventually, type TestDevice, testDevice } from "@context-edge/agent/testing/test-device.ts";
import { JOIN_TOKEN, openTestHub, type TestHub } from "@context-edge/hub/testing/test-hub.ts";
import { afterEach, beforeEach, expect, test } from "vitest";

const CLI = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
const run = promisify(execFile);
const first = fakeModel({ version: "v1" });
const second = fakeModel({ version: "v2" });
const wrong = fakeModel({ version: "v3", factor: 3 });
const FP16 = recipeDigest(BuildRecipe.parse({ precision: ["fp16"] }));

let hub: TestHub;
let device: TestDevice;
let trtexec: StandInTrtexec;
let dir: string;
let url: string;
beforeEach(async () => {
  trtexec = await standInTrtexec(await tempDir());
  device = await testDevice();
  dir = dirname(device.dir);
  for (const name of ["hub", "release"]) {
    const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
    writeFileSync(join(dir, `${name}.key.pem`), pem);
    writeFileSync(
      join(dir, `${name}.pem`),
      createPublicKey(createPrivateKey(pem)).export({ type: "spki", format: "pem" }),
    );
  }
  writeFileSync(join(dir, "join"), JOIN_TOKEN);
  writeFileSync(join(dir, "golden.json"), JSON.stringify(GOLDEN));
  hub = await openTestHub({
    HUB_SIGNING_KEY_FILE: join(dir, "hub.key.pem"),
    HUB_RELEASE_KEYS: join(dir, "release.pem"),
    HUB_PROBE_POLICY: JSON.stringify(QUICK_POLICY),
    HUB_HEARTBEAT_WRITE_SECONDS: "0",
  });
  url = await hub.listen();
  const { environment } = device;
  Object.assign(environment, { AGENT_HUB_URL: url, AGENT_GROUP: "pilot", AGENT_TENSORRT: "10.3.0.30" });
  environment["AGENT_TRTEXEC"] = trtexec.program;
  await hub.call("POST", "/api/v1/groups", { name: "pilot" });
});
afterEach(async () => {
  await device.close();
  await hub.close();
});

async function contextEdge(...words: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [CLI, ...words], {
    env: { PATH: process.env["PATH"], HOME: dir, CONTEXT_EDGE_URL: url },
  });
  return stdout;
}

async function order({ version, bytes }: FakeModel): Promise<void> {
  const file = join(dir, `${version}.onnx`);
  writeFileSync(file, bytes);
  const signed = ["--key", join(dir, "release.key.pem"), "--golden", join(dir, "golden.json")];
  await contextEdge("publish", file, "--build", "fp16", "--version", version, "--accuracy", "0.9", ...signed);
  expect((await hub.call("PUT", "/api/v1/groups/pilot/target", { version })).status).toBe(200);
}

const told = async () =>
  ((await hub.call("GET", "/api/v1/devices/edge-001")).body as Partial<Device>).models?.["default"];
const runs = (version: string) =>
  eventually(`the hub knows that ${version} is committed`, async () => {
    const { current, attempt, last_outcome: last } = (await told()) ?? {};
    return current?.version === version && attempt === null && last?.version === version;
  });
const digestOf = (name: string) =>
  createHash("sha256")
    .update(readFileSync(join(device.dir, name)))
    .digest("hex");
const isBuilding = () =>
  run("pgrep", ["-f", `${trtexec.program} --onnx`]).then(
    () => true,
    () => false,
  );

test("a version is built, proved and told; the old one serves meanwhile; a killed agent takes its build along; wrong answers are undone", async () => {
  await order(first);
  let agent = device.spawn();
  try {
    await runs("v1");
    const engine = digestOf("model-v1.engine");
    expect(device.inference.served()).toBe(engine);
    expect((await told())?.current).toMatchObject({ digest: first.digest, engine: { digest: engine, recipe: FP16 } });

    await trtexec.feels("waits");
    await order(second);
    await eventually(
      "the hub sees the build",
      async () => (await told())?.attempt?.build?.stage === "choosing kernels",
    );
    expect(await told()).toMatchObject({ current: { version: "v1" }, attempt: { version: "v2", phase: "verifying" } });
    expect(await contextEdge("devices", "edge-001")).toMatch(/Building the engine.*v1 keeps serving/);
    expect(device.inference.served()).toBe(engine);
    expect(await isBuilding()).toBe(true);

    agent.kill("SIGKILL");
    await eventually("the build is gone with its agent", async () => !(await isBuilding()));
    await trtexec.goOn();
    agent = device.spawn();
    await runs("v2");
    expect(device.inference.served()).toBe(digestOf("model-v2.engine"));
    expect(await device.backup()).toBe("model-v1.engine");

    await trtexec.feels("well");
    await order(wrong);
    await eventually("the hub is told", async () => (await told())?.last_outcome?.version === "v3");
    expect(await told()).toMatchObject({
      current: { version: "v2" },
      last_outcome: { outcome: "rolled-back", code: "GOLDEN_MISMATCH", evidence: { engine: { recipe: FP16 } } },
    });
    expect(device.inference.served()).toBe(digestOf("model-v2.engine"));
  } finally {
    agent.kill("SIGKILL");
  }
}, 120_000);
