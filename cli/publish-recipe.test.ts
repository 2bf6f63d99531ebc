// Publishing a file from which the devices build their engine: the recipe is signed, shown, and wrong ones are found before anything is sent.
import { afterEach, beforeEach, expect, test } from "vitest";
import { openScene, type Scene } from "./testing/run-cli.ts";

const GOLDEN = {
  tolerance: { y: { absolute: 0.1 } },
  samples: [
    {
      inputs: [{ name: "x", datatype: "FP32", shape: [1], data: [1] }],
      outputs: [{ name: "y", datatype: "FP32", shape: [1], data: [2] }],
    },
  ],
};

let at: Scene;
beforeEach(async () => {
  at = await openScene();
});
afterEach(() => at.close());

test("a recipe goes into the signed statement, and whoever looks is told that devices build the engine", async () => {
  const golden = at.file("golden.json", JSON.stringify(GOLDEN));
  const words = at.publishing(at.file("model.onnx", "a small model"), "--golden", golden, "--build", "fp16,bf16");
  const ended = await at.run(words);
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).not.toContain("warning");
  const { body } = await at.hub.call("GET", "/api/v1/models/default/versions/v3.0");
  expect(body["variants"]).toMatchObject([{ format: "onnx", build: { precision: ["fp16", "bf16"] } }]);
  const shown = await at.run(["versions", "v3.0"]);
  expect(shown.stdout).toContain("built on each device: fp32+fp16+bf16");
  // The same call again compares recipes too.
  expect((await at.run(words)).stdout).toContain("was registered before, with the same content");
  const other = await at.run(
    at.publishing(at.file("model.onnx", "a small model"), "--golden", golden, "--build", "fp16"),
  );
  expect(other.stderr).toMatch(/other content: files.*VERSION_CONFLICT/);
});

test("a recipe of a JSON file has all its fields, beside an engine that stays as it is", async () => {
  const recipe = at.file(
    "recipe.json",
    JSON.stringify({ precision: ["fp16"], workspace_mib: 512, deadline_minutes: 20 }),
  );
  const engine = `${at.file("orin.trt", "ftrt orin")}@${at.file("orin.json", JSON.stringify({ sm: "8.7" }))}`;
  const ended = await at.run(at.publishing(at.file("model.onnx", "one"), "--variant", engine, "--build", recipe));
  expect(ended.code, ended.stderr).toBe(0);
  const { body } = await at.hub.call("GET", "/api/v1/models/default/versions/v3.0");
  const variants = body["variants"] as { format: string; build?: object }[];
  expect(variants.map(({ format, build }) => [format, build !== undefined])).toEqual([
    ["onnx", true],
    ["trt", false],
  ]);
  expect(variants[0]?.build).toMatchObject({ workspace_mib: 512, deadline_minutes: 20 });
});

test.each([
  ["a precision that is none", "model.onnx", "fp8", "fp8"],
  ["a precision twice", "model.onnx", "fp16,fp16", "each precision once"],
  ["a recipe for an engine", "model.trt", "fp16", "--build is for an ONNX file"],
  ["int8 without golden samples", "model.onnx", "int8", "only golden samples can tell"],
])("%s is wrong use, found before anything is registered", async (_what, name, build, named) => {
  const ended = await at.run(at.publishing(at.file(name, "ftrt or not"), "--build", build));
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain(named);
});
