// What is wrong with a publication is found before a byte is sent: wrong words, a file that says otherwise, nobody who signs.
import { afterEach, beforeEach, expect, test } from "vitest";
import { readReleaseFile } from "./publish/release-file.ts";
import { loadReleaseKey, signStatement } from "./publish/signing.ts";
import { type BadLine, openBadLine } from "./testing/bad-line.ts";
import { openScene, type Scene } from "./testing/run-cli.ts";

const METRICS = {
  version_id: "v3.0",
  accuracy: 0.97,
  training_samples: 48_000,
  training_date: "2026-01-01T08:00:00Z",
  metrics: { false_positive_rate: 0.02 },
};

let at: Scene;
let line: BadLine;
/** Over a line that counts. */
let env: Record<string, string>;
beforeEach(async () => {
  at = await openScene();
  line = await openBadLine(at.url);
  env = { CONTEXT_EDGE_URL: line.url };
});
afterEach(async () => {
  line.close();
  await at.close();
});

test("without a signature nothing is sent and no version name is used up, unless that is what is wanted", async () => {
  const words = ["publish", at.file("m.onnx", "one"), "--version", "v4", "--accuracy", "0.9"];
  const refused = await at.run(words, { env });
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toMatch(/--key FILE or CONTEXT_EDGE_RELEASE_KEY_FILE.*--statement FILE.*--unsigned/);
  expect(line.carried()).toBe(0);
  const signed = await at.run(words, { env: { CONTEXT_EDGE_RELEASE_KEY_FILE: at.releaseKeyFile } });
  expect(signed.code, signed.stderr).toBe(0);
  const unsigned = await at.run([...words.with(3, "v5"), "--unsigned"]);
  expect(unsigned.stderr).toMatch(/warning: This hub signed the statement itself/);
  expect(unsigned.code).toBe(0);
  expect((await at.run([...words, "--unsigned", "--key", at.releaseKeyFile])).stderr).toContain("exclude each other");
});

test.each([
  ["model.bin", "what is it", [], "--format"],
  ["model.onnx", "", [], "is empty"],
  ["model.onnx", "one", ["--accuracy", "97"], "accuracy"],
  ["model.onnx", "one", ["--key", "/nowhere.pem"], "/nowhere.pem"],
  ["model.onnx", "one", ["--metrics", "/nowhere.json"], "/nowhere.json"],
  ["model.onnx", "one", ["--variant", "/nowhere.trt@/nowhere.json"], "/nowhere.trt"],
  ["model.onnx", "one", ["--training-date", "yesterday"], "yesterday"],
  ["model.onnx", "one", ["--training-date", "January 1, 2026"], "training_date"],
  ["model.onnx", "one", ["--version", "../x"], "--version: a version may hold"],
  ["model.onnx", "one", ["--model", "a b"], "--model: a model name may hold"],
  ["model.onnx", "one", ["--accuracy", "97"], "--accuracy: it must be 1 or less"],
  ["model.onnx", "one", ["--samples", "1.5"], "--samples: it must be a whole number"],
  ["model.onnx", "one", ["--samples", "-1"], "--samples: it must be 0 or more"],
  ["model.onnx", "one", ["--format", "TRT!"], "--format"],
  ["model.onnx", "one", ["--release", "0"], "--release: it must be 1 or more"],
  ["model.onnx", "one", ["--version", ""], "--version is empty"],
])("wrong use is found before anything is sent: %s %j %j", async (name, content, more, named) => {
  const ended = await at.run(at.publishing(at.file(name, content), ...more), { env });
  expect(ended.stderr).toContain(named);
  expect(ended.stderr).not.toMatch(/expected (string|number|int)|Too (small|big)|Invalid/);
  expect(ended.code).toBe(2);
  expect(line.carried()).toBe(0);
});

test.each([
  [{ ...METRICS, accuracy: 97 }, "accuracy: it must be 1 or less"],
  [{ ...METRICS, metrics: { false_positive_rate: 2 } }, "false_positive_rate: it must be 1 or less"],
  [{ ...METRICS, version_id: "v9" }, "is about v9, not about v3.0"],
])("so is what a metrics file says wrongly: %j", async (metrics, named) => {
  const file = at.file("metrics.json", JSON.stringify(metrics));
  const words = [
    "publish",
    at.file("m.onnx", "one"),
    "--version",
    "v3.0",
    "--metrics",
    file,
    "--key",
    at.releaseKeyFile,
  ];
  const ended = await at.run(words, { env });
  expect(ended.stderr).toContain(named);
  expect(ended.code).toBe(2);
  expect(line.carried()).toBe(0);
});

test("a statement of another version is found before anything is sent", async () => {
  const file = at.file("m.onnx", "one");
  const key = await loadReleaseKey(at.releaseKeyFile);
  const facts = {
    model: "default",
    release: 1,
    createdAt: "2026-01-01T00:00:00.000Z",
    golden: undefined,
    minimumRelease: undefined,
  };
  const { variant } = await readReleaseFile(file, undefined);
  const statement = at.file(
    "s.json",
    JSON.stringify(signStatement({ ...facts, version: "v2", variants: [variant] }, key)),
  );
  const words = ["publish", file, "--accuracy", "0.9", "--statement", statement, "--version"];
  const refused = await at.run([...words, "v3"], { env });
  expect(refused.stderr).toContain("is about default v2, not about default v3");
  expect(refused.code).toBe(2);
  expect(line.carried()).toBe(0);
  expect((await at.run([...words, "v2"])).code).toBe(0);
});
