// What the first bytes of an engine say, judged before any swap; and TensorRT's own refusals in words a reader can act on.
import { compareVersions, isSameRelease, type Inventory, type Platform } from "@context-edge/protocol";
import type { Mishap } from "./steps.ts";

export type EngineHeader =
  | { is: "plan"; tensorrt: string }
  /** A JSON header of Ultralytics in front of the plan: stock TensorRT cannot load it. */
  | { is: "ultralytics" }
  /** Nothing is known of it, which is not bad: TensorRT before 9.0 left no such header. */
  | { is: "unknown" };

export interface Engine {
  format: string;
  platform: Platform;
}

const ENGINE_FORMATS: readonly string[] = ["trt", "engine", "plan"];

/** @returns why the file would not load here, or null when nothing speaks against it */
export function judgeEngine(header: EngineHeader, { format, platform }: Engine, inventory: Inventory): Mishap | null {
  if (!ENGINE_FORMATS.includes(format)) return null;
  if (header.is === "ultralytics") {
    return refuse(
      "ENGINE_WRAPPED",
      "the file begins with a header of Ultralytics, which TensorRT itself cannot load",
      "Export the plan without the wrapper (or serve it with Ultralytics and register it in another format).",
    );
  }
  if (header.is === "unknown" || inventory.tensorrt === undefined) return null;
  const present = inventory.tensorrt;
  if (isSameRelease(header.tensorrt, present)) return null;
  const isForward = platform.version_compatible === true && compareVersions(present, header.tensorrt) > 0;
  if (isForward) return null;
  return refuse(
    "ENGINE_VERSION_MISMATCH",
    `the engine was built with TensorRT ${header.tensorrt}, the device's inference has ${present}`,
    "Build it with the TensorRT of the inference container, or version-compatible; say its version with AGENT_TENSORRT.",
  );
}

function refuse(code: string, message: string, nextStep: string): Mishap {
  return { code, message, nextStep, kind: "permanent" };
}

interface Explanation {
  code: string;
  message: string;
  nextStep: string;
}

/** What TensorRT and Triton print when an engine does not load; texts of TensorRT 8 to 10. */
const TEXTS: readonly { pattern: RegExp; explain: (match: RegExpExecArray) => Explanation }[] = [
  {
    pattern: /incompatible device, expecting compute ([\d.]+) got compute ([\d.]+)/,
    explain: ([, wanted, got]) => ({
      code: "ENGINE_WRONG_GPU",
      message: `the engine was built for compute capability ${wanted}, this GPU has ${got}`,
      nextStep: "Build a variant on this kind of module and register it with its SM.",
    }),
  },
  {
    pattern: /not compatible with this version of TensorRT, expecting library version ([\d.]+) got ([\d.]+)/,
    explain: ([, wanted, got]) => ({
      code: "ENGINE_VERSION_MISMATCH",
      message: `the engine needs TensorRT ${wanted}, the inference service has ${got}`,
      nextStep: "Build it with the TensorRT of the inference container.",
    }),
  },
  {
    pattern: /Version tag does not match|stdVersionRead == kSERIALIZATION_VERSION/,
    explain: () => ({
      code: "ENGINE_VERSION_MISMATCH",
      message: "the engine was serialized by another TensorRT than the inference service has",
      nextStep: "Build it with the TensorRT of the inference container.",
    }),
  },
  {
    // Seen by users whose disk was full while an engine was written: the program that wrote it noticed nothing.
    pattern: /header\.size == blobSize failed/,
    explain: () => ({
      code: "ENGINE_INCOMPLETE",
      message: "the engine's file is not whole: it was cut short when it was written or copied",
      nextStep: "Look at the disk it was written to, and build or upload it again.",
    }),
  },
  {
    pattern: /Magic tag does not match|magicTagRead == kMAGIC_TAG/,
    explain: () => ({
      code: "ENGINE_NO_PLAN",
      message: "the file is no TensorRT plan",
      nextStep: "Check what was uploaded: an ONNX file or a wrapped engine is loaded in another way.",
    }),
  },
  {
    pattern: /out of memory|cudaErrorMemoryAllocation|CUDA_ERROR_OUT_OF_MEMORY|OutOfMemory/i,
    explain: () => ({
      code: "OUT_OF_GPU_MEMORY",
      message: "the GPU has not enough memory left for this engine",
      nextStep: "Free memory on the device, use a smaller engine, or restart the inference process: failed loads leak.",
    }),
  },
];

/** @param text of a service's answer or log @returns null when nothing in it is recognised */
export function explainLoadFailure(text: string): Explanation | null {
  for (const { pattern, explain } of TEXTS) {
    const match = pattern.exec(text);
    if (match) return explain(match);
  }
  return null;
}
