// What trtexec is told and says when it builds: arguments from the closed fields of a recipe, and its own words for a reader.
// Options and texts from NVIDIA's source of TensorRT 8.0 to 11.1 (samples/common, samples/trtexec); never seen on hardware here.
import { type BuildRecipe, compareVersions, type ShapeRange } from "@context-edge/protocol";
import type { BuildOrder } from "./candidate.ts";
import type { Mishap } from "./steps.ts";

export interface BuildPaths {
  onnx: string;
  engine: string;
  timingCache: string;
}

export function buildArguments({ recipe, tensorrt }: Pick<BuildOrder, "recipe" | "tensorrt">, paths: BuildPaths) {
  const isSince = (release: string) => compareVersions(tensorrt, release) >= 0;
  const { workspace_mib: workspace, optimization_level: level } = recipe;
  return [
    `--onnx=${paths.onnx}`,
    `--saveEngine=${paths.engine}`,
    `--timingCacheFile=${paths.timingCache}`,
    ...recipe.precision.map((one) => `--${one}`),
    ...(recipe.strongly_typed ? ["--stronglyTyped"] : []),
    ...shapeArguments(recipe),
    ...(workspace === undefined
      ? []
      : [isSince("8.4") ? `--memPoolSize=workspace:${workspace}` : `--workspace=${workspace}`]),
    ...(level === undefined ? [] : [`--builderOptimizationLevel=${level}`]),
    ...(recipe.version_compatible ? ["--versionCompatible"] : []),
    ...(recipe.hardware_compatibility === "none"
      ? []
      : [`--hardwareCompatibilityLevel=${recipe.hardware_compatibility}`]),
    skipInference(tensorrt),
  ];
}

/** Reads the engine back from the disk: that trtexec wrote the file says nothing about its last block. */
export function loadArguments({ recipe, tensorrt }: Pick<BuildOrder, "recipe" | "tensorrt">, engine: string) {
  return [
    `--loadEngine=${engine}`,
    ...(recipe.version_compatible ? ["--versionCompatible"] : []),
    skipInference(tensorrt),
  ];
}

/** 8.6 gave `--buildOnly` its present name; 10.0 dropped the old one. */
function skipInference(tensorrt: string): string {
  return compareVersions(tensorrt, "8.6") >= 0 ? "--skipInference" : "--buildOnly";
}

function shapeArguments({ shapes }: BuildRecipe): string[] {
  const inputs = Object.entries(shapes);
  if (inputs.length === 0) return [];
  const spec = (which: keyof ShapeRange) =>
    inputs.map(([name, range]) => `${name}:${range[which].join("x")}`).join(",");
  return [`--minShapes=${spec("min")}`, `--optShapes=${spec("opt")}`, `--maxShapes=${spec("max")}`];
}

/** What it is doing, from a line it printed; null: the line says nothing of it. It prints no share of the whole. */
export function stageOf(line: string): string | null {
  if (/Start parsing network model/.test(line)) return "reading the model";
  if (/Finish(?:ed)? parsing network model/.test(line)) return "choosing kernels";
  return /Engine built in|Created engine with size/.test(line) ? "writing the engine" : null;
}

/** 8.6 and 10 build without a cache that cannot be read and say so; what others do is not known. */
export function isTimingCacheBad(output: string): boolean {
  return /TimingCache creation failed|Failed to create timingCache|setTimingCache failed/i.test(output);
}

export interface BuildEnd {
  exitCode: number | null;
  /** By which it ended, not by our hand. */
  signal: string | null;
  isLate: boolean;
  deadlineMs: number;
  /** The tail of both streams. */
  output: string;
}

/** The shell's way to tell of a signal, where trtexec is started by a script. */
const SIGNALS: Record<number, string> = { 134: "SIGABRT", 135: "SIGBUS", 137: "SIGKILL", 139: "SIGSEGV" };
const DETAIL_CHARACTERS = 3_500;

/** @returns why there is no engine; told by what the program said, and where it said nothing by how it ended */
export function explainBuildFailure(end: BuildEnd): Mishap {
  const evidence = { detail: end.output.trim().slice(-DETAIL_CHARACTERS) };
  const signal = end.signal ?? SIGNALS[end.exitCode ?? 0] ?? null;
  if (end.isLate) return { ...tooLate(end.deadlineMs), evidence };
  // The kernel takes the largest process when memory runs out; nobody else sends this one.
  if (signal === "SIGKILL")
    return { ...outOfMemory("the kernel ended the build, most likely for want of memory"), evidence };
  const known = TEXTS.find(({ pattern }) => pattern.test(end.output));
  if (known) return { ...known.explain(known.pattern.exec(end.output)), evidence };
  if (signal !== null) return { ...crashed(signal), evidence };
  const first = /^\[[^\]]*\] \[E\] (?<text>.*)$/m.exec(end.output)?.groups?.["text"];
  return { ...failed(first ?? `trtexec ended with ${end.exitCode ?? "no exit code"} and said no reason`), evidence };
}

type Explain = (match: RegExpExecArray | null) => Mishap;

/** In this order: what went wrong first explains what comes after it. */
const TEXTS: readonly { pattern: RegExp; explain: Explain }[] = [
  {
    pattern: /Unknown option: (\S+)/,
    explain: (match) => ({
      code: "BUILD_OPTION_UNKNOWN",
      message: `this device's trtexec does not know ${match?.[1] ?? "an option"}`,
      nextStep:
        "Publish the version with a recipe for this TensorRT, or say the TensorRT of the inference in AGENT_TENSORRT.",
      kind: "permanent",
    }),
  },
  {
    pattern: /No importer registered for op: (\w+)|Plugin not found[^\n]*?name[: ]+(\w+)|Unsupported operator:? (\w+)/i,
    explain: (match) =>
      unsupported(`TensorRT here has no operator ${match?.[1] ?? match?.[2] ?? match?.[3] ?? "of that name"}`),
  },
  {
    pattern: /Failed to parse onnx file|Parsing model failed|could not open file .*\.onnx/i,
    explain: () => unsupported("TensorRT here cannot read the ONNX file"),
  },
  {
    pattern:
      /Cannot find input tensor with name|Static model does not take explicit shapes|Required optimization profile is invalid|Dynamic dimensions required for input/,
    explain: () => ({
      code: "BUILD_SHAPES_WRONG",
      message: "the shapes of the build recipe are not those of the model's inputs",
      nextStep: "Publish the version with the names and shapes of its inputs: min, opt and max for each that is open.",
      kind: "permanent",
    }),
  },
  {
    pattern:
      /Saving engine to file failed|Cannot open engine file|Cannot write to FileStreamWriter|No space left on device/,
    explain: () => NOT_SAVED,
  },
  {
    pattern:
      /out of memory|OutOfMemory|std::bad_alloc|Cannot allocate memory|could not be allocated|User allocator error allocating|cudaErrorMemoryAllocation/i,
    explain: () => outOfMemory("memory ran out while the engine was built"),
  },
];

export const NOT_SAVED: Mishap = {
  code: "BUILD_NOT_SAVED",
  message: "the engine was built and could not be written whole",
  nextStep: "Look at the disk of the models directory: free space, quota, kernel log.",
  kind: "passing",
  spent: true,
};

function tooLate(deadlineMs: number): Mishap {
  return {
    code: "BUILD_TIMEOUT",
    message: `the engine was not built within ${Math.round(deadlineMs / 60_000)} min`,
    nextStep: "Give the recipe a longer deadline_minutes or a lower optimization_level; look at heat and power mode.",
    kind: "passing",
    spent: true,
  };
}

function outOfMemory(message: string): Mishap {
  return {
    code: "BUILD_OUT_OF_MEMORY",
    message,
    nextStep:
      "Lower workspace_mib or the largest shapes of the recipe, free memory on the device, or publish a built engine.",
    kind: "passing",
    spent: true,
  };
}

function crashed(signal: string): Mishap {
  return {
    code: "BUILD_CRASHED",
    message: `trtexec crashed while it built the engine (${signal})`,
    nextStep:
      "Read the end of what it printed in the evidence. If it comes back, publish an engine that was built elsewhere.",
    kind: "passing",
    spent: true,
  };
}

function unsupported(message: string): Mishap {
  return {
    code: "BUILD_MODEL_UNSUPPORTED",
    message,
    nextStep:
      "Export the model for the TensorRT of this device (operator set, operators), and publish it as a new version.",
    kind: "permanent",
  };
}

function failed(reason: string): Mishap {
  return {
    code: "BUILD_FAILED",
    message: `the engine could not be built: ${reason}`.slice(0, 500),
    nextStep: "Read the end of what trtexec printed in the evidence; the whole of it is in the device's diagnostics.",
    kind: "permanent",
  };
}
