// Publishing: hash, upload, sign, register; broken uploads go on, repeated ones do nothing.
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { peekPayload, Statement } from "@context-edge/protocol";
import { type BadLine, openBadLine } from "./testing/bad-line.ts";
import { json, openScene, type Scene } from "./testing/run-cli.ts";

const GOLDEN = {
  tolerance: { y: { absolute: 0.1 } },
  samples: [
    {
      inputs: [{ name: "x", datatype: "FP32", shape: [1], data: [1] }],
      outputs: [{ name: "y", datatype: "FP32", shape: [1], data: [2] }],
    },
  ],
};
const METRICS = {
  version_id: "v3.0",
  accuracy: 0.97,
  training_samples: 48_000,
  training_date: "2026-01-01T08:00:00Z",
  metrics: { false_positive_rate: 0.02 },
};

let at: Scene;
let line: BadLine | undefined;
beforeEach(async () => {
  at = await openScene();
});
afterEach(async () => {
  line?.close();
  await at.close();
});
async function cutter(afterBytes: number[]): Promise<BadLine> {
  line = await openBadLine(at.url, afterBytes);
  return line;
}

test("an upload that breaks off twice goes on where it ended, and nothing is sent over again (fault 60)", async () => {
  const bytes = randomBytes(6_000_000);
  const file = at.file("model.onnx", bytes);
  const { url, carried } = await cutter([2_000_000, 1_500_000]);
  const ended = await at.run(at.publishing(file, "--json"), { env: { CONTEXT_EDGE_URL: url } });
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr.match(/broke off/g)).toHaveLength(2);
  expect(ended.stderr).toMatch(/going on at \d\.\d MB/);
  const digest = createHash("sha256").update(bytes).digest("hex");
  expect(json(ended)).toMatchObject({ sha256: digest, size_bytes: 6_000_000, uploaded: [digest] });
  // What was in flight at a cut is lost; the rest is sent once.
  expect(carried()).toBeLessThan(7_500_000);
});

test("a minimum release is signed into the statement; one above the version's own release is found before anything is sent", async () => {
  const file = at.file("model.onnx", randomBytes(1_000));
  const minimum = (n: string) => ["--release", "7", "--minimum-release", n];
  const refused = await at.run(at.publishing(file, ...minimum("8")));
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("above the version's own release") });
  expect(await at.run(at.publishing(file, ...minimum("6")))).toMatchObject({ code: 0 });
  const { statement } = (await at.hub.hub.store.versions.find("default", "v3.0")) ?? {};
  expect(statement && peekPayload(statement, Statement)).toMatchObject({ release: 7, minimum_release: 6 });
});

test("an upload that was killed goes on with the next call", async () => {
  const file = at.file("model.onnx", randomBytes(6_000_000));
  const { url } = await cutter([2_000_000]);
  const killed = at.start(at.publishing(file), { CONTEXT_EDGE_URL: url });
  await killed.says("broke off");
  killed.child.kill("SIGKILL");
  await killed.ended;
  const ended = await at.run(at.publishing(file));
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toMatch(/uploading model.onnx, 6.0 MB, going on at|has it already/);
});

test("a hub that is gone in the middle ends 5, and says how it can be repeated", async () => {
  const file = at.file("model.onnx", randomBytes(3_000_000));
  const { url } = await cutter([1_000_000]);
  const running = at.start(at.publishing(file), { CONTEXT_EDGE_URL: url });
  await running.says("uploading");
  line?.close();
  await running.says("broke off").catch(() => undefined);
  const ended = await running.ended;
  expect(ended.stderr).toContain("HUB_UNREACHABLE");
  expect(ended.code).toBe(5);
});

test("the same call again is harmless, and sends and registers nothing", async () => {
  const file = at.file("model.onnx", "a small model");
  const metrics = at.file("metrics.json", JSON.stringify(METRICS));
  const golden = at.file("golden.json", JSON.stringify(GOLDEN));
  const words = [
    "publish",
    file,
    "--version",
    "v3.0",
    "--metrics",
    metrics,
    "--golden",
    golden,
    "--key",
    at.releaseKeyFile,
  ];
  const first = await at.run(words);
  expect(first.code, first.stderr).toBe(0);
  expect(first.stderr).not.toContain("warning");
  expect(first.stdout).toContain("v3.0 waits for review");
  const again = await at.run([...words, "--json"]);
  expect(json(again)).toMatchObject({ version_id: "v3.0", stage: "pending", uploaded: [] });
  expect(again.code).toBe(0);
  const { body } = await at.hub.call("GET", "/api/v1/models/default/versions/v3.0");
  expect(body).toMatchObject({ accuracy: 0.97, training_samples: 48_000, metrics: { false_positive_rate: 0.02 } });
  expect(body["signed_by"]).toMatch(/^[0-9a-f]{64}$/);
});

test("other content under the same version is refused and named", async () => {
  await at.run(at.publishing(at.file("model.onnx", "a small model")));
  const ended = await at.run(at.publishing(at.file("other.onnx", "another model"), "--samples", "7"));
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/other content: files, samples.*VERSION_CONFLICT/);
});

test("several files for several platforms make one signed version", async () => {
  const orin = at.file("orin.json", JSON.stringify({ sm: "8.7", tensorrt: "10.3.0" }));
  const xavier = at.file("xavier.json", JSON.stringify({ sm: "7.2" }));
  const main = `${at.file("orin.trt", "ftrt orin")}@${orin}`;
  const other = `${at.file("xavier.engine", "ftrt xavier")}@${xavier}`;
  const ended = await at.run(at.publishing(main, "--variant", other));
  expect(ended.code, ended.stderr).toBe(0);
  const { body } = await at.hub.call("GET", "/api/v1/models/default/versions/v3.0");
  expect(body["variants"]).toMatchObject([
    { format: "trt", platform: { sm: "8.7", tensorrt: "10.3.0" }, size_bytes: 9 },
    { format: "engine", platform: { sm: "7.2" }, size_bytes: 11 },
  ]);
});

test("without golden samples it warns", async () => {
  const ended = await at.run(at.publishing(at.file("model.onnx", "a small model")));
  expect(ended.stderr).toContain("warning: no golden samples");
});

test("Ctrl-C during an upload says that nothing is registered, and that the same command goes on from there", async () => {
  const held = await cutter([]);
  const file = at.file("model.onnx", randomBytes(6_000_000));
  held.hangAfter(1_000_000);
  const running = at.start(at.publishing(file), { CONTEXT_EDGE_URL: held.url });
  await held.hangs;
  running.child.kill("SIGINT");
  const ended = await running.ended;
  expect(ended.code).toBe(130);
  expect(ended.stderr).toMatch(/Stopped\. Nothing is registered; .*the same command goes on from there/);
  const again = await at.run(at.publishing(file));
  expect(again.code, again.stderr).toBe(0);
});

test("a key that the hub does not know is refused, and the key itself is never printed", async () => {
  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  const file = at.file("model.onnx", "a small model");
  const ended = await at.run([
    "publish",
    file,
    "--version",
    "v3.0",
    "--accuracy",
    "0.97",
    "--key",
    at.file("k.pem", pem),
  ]);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain("STATEMENT_REFUSED");
  expect(ended.stdout + ended.stderr).not.toContain(pem.split("\n")[1]);
});
