// What keeps an engine from being built or taken that is no failure of the build itself.
import type { BuildOrder } from "./candidate.ts";
import type { EngineHeader } from "./engine.ts";
import { compareVersions, isSameRelease } from "@context-edge/protocol";
import type { Mishap } from "./steps.ts";
import { NOT_SAVED } from "./trtexec-build.ts";

export function toolMissing(program: string): Mishap {
  return {
    code: "BUILD_TOOL_MISSING",
    message: `there is no trtexec at ${program}, so no engine can be built here`,
    nextStep: "Install it (libnvinfer-bin), or say where it lies with AGENT_TRTEXEC; then retry the deployment.",
    kind: "permanent",
  };
}

/** Since 9.0 every plan says its release in its header. @returns why the file is not the engine that was wanted, or null */
export function judgeBuilt(header: EngineHeader, { tensorrt }: Pick<BuildOrder, "tensorrt">): Mishap | null {
  if (header.is === "plan" && !isSameRelease(header.tensorrt, tensorrt)) {
    return {
      code: "BUILD_WRONG_TENSORRT",
      message: `trtexec here is of TensorRT ${header.tensorrt}, the inference has ${tensorrt}: its engines would not load`,
      nextStep: "Point AGENT_TRTEXEC to the trtexec of the inference's TensorRT, or correct AGENT_TENSORRT.",
      kind: "permanent",
    };
  }
  return header.is === "unknown" && compareVersions(tensorrt, "9.0") >= 0 ? NOT_SAVED : null;
}

/** @param said what trtexec answered when it was to load it */
export function unloadable(said: string): Mishap {
  return {
    code: "BUILD_UNLOADABLE",
    message: `the engine was built, and cannot be loaded from the disk: ${said}`.slice(0, 500),
    nextStep: "It is built once more by itself. If it comes back, check the storage and the memory of this device.",
    kind: "passing",
    spent: true,
  };
}
