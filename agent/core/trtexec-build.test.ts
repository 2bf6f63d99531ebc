// What trtexec is told by release, and what its own words come to: texts as users reported them and as its source prints them.
import { BuildRecipe } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import { judgeBuilt } from "./build-complaints.ts";
import { buildArguments, explainBuildFailure, isTimingCacheBad, loadArguments, stageOf } from "./trtexec-build.ts";

const paths = { onnx: "/m/model-v1.onnx", engine: "/m/.agent/e", timingCache: "/m/.agent/t" };
const ALWAYS = ["--onnx=/m/model-v1.onnx", "--saveEngine=/m/.agent/e", "--timingCacheFile=/m/.agent/t"];
const told = (recipe: object, tensorrt: string) =>
  buildArguments({ recipe: BuildRecipe.parse(recipe), tensorrt }, paths).slice(ALWAYS.length);

test.each<[object, string, string[]]>([
  [{}, "10.3.0", ["--skipInference"]],
  [{ precision: ["fp16", "bf16"] }, "10.3.0", ["--fp16", "--bf16", "--skipInference"]],
  [{ workspace_mib: 512 }, "8.2.1", ["--workspace=512", "--buildOnly"]],
  [{ workspace_mib: 512 }, "8.5.2", ["--memPoolSize=workspace:512", "--buildOnly"]],
  [
    { optimization_level: 0, version_compatible: true, hardware_compatibility: "ampere+" },
    "8.6.2",
    ["--builderOptimizationLevel=0", "--versionCompatible", "--hardwareCompatibilityLevel=ampere+", "--skipInference"],
  ],
  [{ strongly_typed: true }, "11.0", ["--stronglyTyped", "--skipInference"]],
  [
    { shapes: { "in:0": { min: [1, 3], opt: [2, 3], max: [4, 3] }, b: { min: [1], opt: [1], max: [9] } } },
    "10.3.0",
    ["--minShapes=in:0:1x3,b:1", "--optShapes=in:0:2x3,b:1", "--maxShapes=in:0:4x3,b:9", "--skipInference"],
  ],
])("%j for TensorRT %s is %j", (recipe, tensorrt, words) => {
  expect(told(recipe, tensorrt)).toEqual(words);
});

test("an engine that carries its own runtime is loaded as one", () => {
  const recipe = BuildRecipe.parse({ version_compatible: true });
  expect(loadArguments({ recipe, tensorrt: "10.3.0" }, "/m/e")).toEqual([
    "--loadEngine=/m/e",
    "--versionCompatible",
    "--skipInference",
  ]);
});

test.each([
  ["[11/22/2024-13:40:08] [I] Start parsing network model.", "reading the model"],
  ["[11/22/2024-13:40:08] [I] Finished parsing network model. Parse time: 0.0704936", "choosing kernels"],
  ["[01/02/2022-03:04:05] [I] Finish parsing network model", "choosing kernels"],
  ["[11/22/2024-13:40:08] [I] Engine built in 27.3 sec.", "writing the engine"],
  ["[11/22/2024-13:40:08] [I] [TRT] Detected 1 inputs and 1 output network tensors.", null],
])("%s is %j", (line, stage) => {
  expect(stageOf(line)).toBe(stage);
});

describe("why there is no engine", () => {
  const end = { exitCode: 1, signal: null, isLate: false, deadlineMs: 3_600_000, output: "" };
  const E = (text: string) => `[11/22/2024-13:40:47] [E] ${text}`;

  test.each<[string, Partial<typeof end> | { signal: string; exitCode: null }, string, RegExp, boolean]>([
    ["its deadline", { isLate: true }, "BUILD_TIMEOUT", /not built within 60 min/, true],
    ["the kernel's out-of-memory killer", { exitCode: null, signal: "SIGKILL" }, "BUILD_OUT_OF_MEMORY", /kernel/, true],
    ["the same, through a script", { exitCode: 137 }, "BUILD_OUT_OF_MEMORY", /kernel/, true],
    ["a crash", { exitCode: null, signal: "SIGSEGV" }, "BUILD_CRASHED", /SIGSEGV/, true],
    ["a crash through a script", { exitCode: 134 }, "BUILD_CRASHED", /SIGABRT/, true],
    [
      "the GPU's memory",
      { output: E("Error[1]: [defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime (out of memory)") },
      "BUILD_OUT_OF_MEMORY",
      /memory ran out/,
      true,
    ],
    [
      "an operator",
      { output: E("[TRT] ... In function importFallbackPluginImporter: [8] No importer registered for op: DCNv2.") },
      "BUILD_MODEL_UNSUPPORTED",
      /no operator DCNv2/,
      false,
    ],
    ["the file", { output: E("Failed to parse onnx file") }, "BUILD_MODEL_UNSUPPORTED", /cannot read/, false],
    [
      "an input's name",
      { output: E('Cannot find input tensor with name "images" in the network inputs!') },
      "BUILD_SHAPES_WRONG",
      /not those of the model's inputs/,
      false,
    ],
    ["an option", { output: E("Unknown option: --fp16 ") }, "BUILD_OPTION_UNKNOWN", /does not know --fp16/, false],
    ["the disk", { output: E("Saving engine to file failed.") }, "BUILD_NOT_SAVED", /could not be written/, true],
    [
      "anything else, in its own first words",
      { output: `${E("Error[10]: Internal Error (Assertion failed)")}\n${E("Engine set up failed")}` },
      "BUILD_FAILED",
      /Error\[10\]: Internal Error \(Assertion failed\)$/,
      false,
    ],
    ["nothing at all", { exitCode: 0 }, "BUILD_FAILED", /trtexec ended with 0 and said no reason/, false],
  ])("is %s", (_what, how, code, message, isPassing) => {
    const mishap = explainBuildFailure({ ...end, ...how });
    expect(mishap).toMatchObject({ code, kind: isPassing ? "passing" : "permanent" });
    expect(mishap.message).toMatch(message);
    expect(mishap.nextStep.length).toBeGreaterThan(20);
    // Whoever spends a build may spend one more.
    expect(mishap.spent ?? false).toBe(isPassing);
  });

  test("a tactic that did not fit is no lack of memory when the operator was missing", () => {
    const output = `${E("Failed to parse onnx file")}\n[W] Device memory is insufficient to use tactic. out of memory`;
    expect(explainBuildFailure({ ...end, output }).code).toBe("BUILD_MODEL_UNSUPPORTED");
  });

  test("the end of what was said is the evidence", () => {
    const output = `${"x".repeat(9_000)}the end`;
    const { evidence } = explainBuildFailure({ ...end, output });
    expect(evidence?.detail).toHaveLength(3_500);
    expect(evidence?.detail).toMatch(/the end$/);
  });
});

test("a cache that cannot be read is known by both of trtexec's sentences", () => {
  expect(isTimingCacheBad("[E] TimingCache creation failed")).toBe(true);
  expect(isTimingCacheBad("Exception detected: Failed to create timingCache from /m/t!")).toBe(true);
  expect(isTimingCacheBad("[W] Could not read timing cache from: /m/t. A new timing cache will be generated")).toBe(
    false,
  );
});

test.each([
  [{ is: "plan", tensorrt: "10.3.0.30" }, "10.3.0", null],
  [{ is: "plan", tensorrt: "10.16.2.10" }, "10.3.0", "BUILD_WRONG_TENSORRT"],
  // Before 9.0 no header is documented; after it, a file without one is no engine.
  [{ is: "unknown" }, "8.6.2", null],
  [{ is: "unknown" }, "10.3.0", "BUILD_NOT_SAVED"],
] as const)("a header %j for TensorRT %s is judged %j", (header, tensorrt, code) => {
  expect(judgeBuilt(header, { tensorrt })?.code ?? null).toBe(code);
});
