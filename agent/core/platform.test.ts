// Every row of NVIDIA's tables that this agent knows, and everything that is none of them.
import { chooseVariant, type Inventory, type Platform } from "@context-edge/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { explainLoadFailure, judgeEngine } from "./engine.ts";
import * as platform from "./platform.ts";

describe("what a device says of itself", () => {
  test.each([
    ["nvidia,p3450-0000\0nvidia,jetson-nano\0nvidia,tegra210\0", "5.3"],
    ["nvidia,lightning\0nvidia,tegra186\0", "6.2"],
    ["nvidia,p2972-0000\0nvidia,tegra194\0", "7.2"],
    ["nvidia,p3768-0000+p3767-0000\0nvidia,p3767-0000\0nvidia,tegra234\0", "8.7"],
    ["nvidia,p4071-0000+p3834-0008\0nvidia,tegra264\0", "11.0"],
    ["raspberrypi,4-model-b\0brcm,bcm2711\0", undefined],
    ["", undefined],
  ])("compatible %j is SM %s", (compatible, sm) => expect(platform.smOf(compatible)).toBe(sm));

  test.each([
    ["# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref, EABI: aarch64", "32.7.1"],
    ["# R35 (release), REVISION: 3.1, GCID: 32827747, BOARD: t186ref, EABI: aarch64", "35.3.1"],
    ["# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64", "36.4.3"],
    ["Ubuntu 22.04", undefined],
    ["", undefined],
  ])("nv_tegra_release %j is L4T %s", (text, l4t) => expect(platform.l4tFromRelease(text)).toBe(l4t));

  test.each([
    ["36.5.0-20260115194252", "36.5.0"],
    ["35.3.1-20230319081403\n", "35.3.1"],
    ["no packages found", undefined],
  ])("the package nvidia-l4t-core %j is L4T %s", (text, l4t) => expect(platform.l4tFromPackage(text)).toBe(l4t));

  test.each([
    ["10.3.0.30-1+cuda12.5", "10.3.0.30"],
    ["8.5.2-1+cuda11.4", "8.5.2"],
    ["8.6.2.3-1+cuda12.2", "8.6.2.3"],
    ["", undefined],
  ])("the package libnvinfer %j is TensorRT %s", (text, version) =>
    expect(platform.tensorRtFromPackage(text)).toBe(version),
  );

  test.each([
    ["32.6.1", "4.6", "8.0.1"],
    ["32.7.1", "4.6.1", "8.2.1"],
    ["35.3.1", "5.x", "8.5.2"],
    ["36.3.0", "6.0", "8.6.2"],
    ["36.4.3", "6.1–6.2.2", "10.3.0"],
    ["36.5.0", "6.1–6.2.2", "10.3.0"],
    ["38.2.0", "7.0/7.1", "10.13"],
    ["39.2.0", "7.2", "10.16.2"],
    ["28.1.0", undefined, undefined],
    ["99.1.0", undefined, undefined],
  ])("L4T %s is JetPack %s with TensorRT %s", (l4t, jetpack, tensorrt) => {
    expect(platform.jetPackOf(l4t)).toBe(jetpack);
    expect(platform.usualTensorRt(l4t)).toBe(tensorrt);
  });

  test("the power mode is nvpmodel's name for it", () => {
    expect(platform.powerModeFrom("NV Power Mode: MAXN\n0\n")).toBe("MAXN");
    expect(platform.powerModeFrom("NVPM ERROR: not supported")).toBeUndefined();
  });
});

const orin: Inventory = {
  agent_version: "t",
  arch: "arm64",
  module: "NVIDIA Jetson Orin NX Engineering Reference Developer Kit",
  sm: "8.7",
  tensorrt: "10.3.0.30",
};
const variant = (stated: Platform, letter = "a") => ({
  digest: letter.repeat(64),
  size_bytes: 1,
  format: "trt",
  platform: stated,
});
const choose = (platforms: Platform[], inventory = orin) =>
  chooseVariant(
    platforms.map((one, index) => variant(one, "abcdef"[index])),
    inventory,
  );

describe("which variant fits", () => {
  test.each<[string, Platform, boolean]>([
    ["a portable file", {}, true],
    ["the same architecture under another name", { arch: "aarch64" }, true],
    ["another architecture", { arch: "x86_64" }, false],
    ["the module without its board", { module: "NVIDIA Jetson Orin NX" }, true],
    ["another module of the same chip", { module: "NVIDIA Jetson Orin Nano" }, false],
    ["a module whose name only begins alike", { module: "NVIDIA Jetson Orin N" }, false],
    ["the chip", { sm: "8.7" }, true],
    ["another chip", { sm: "7.2" }, false],
    ["an Ampere desktop's engine", { sm: "8.6" }, false],
    ["an engine for Ampere and later", { sm: "8.6", hardware_compatibility: "ampere+" }, true],
    ["the TensorRT without its build number", { tensorrt: "10.3.0" }, true],
    ["another build of the same release", { tensorrt: "10.3.0.26" }, false],
    ["an older TensorRT", { tensorrt: "8.6.2" }, false],
    ["an older TensorRT, built version-compatible", { tensorrt: "8.6.2", version_compatible: true }, true],
    ["too old for version compatibility", { tensorrt: "8.5.2", version_compatible: true }, false],
    ["a newer TensorRT, built version-compatible", { tensorrt: "10.13.0", version_compatible: true }, false],
  ])("fault 48: %s", (_, stated, fits) => expect(choose([stated]).ok).toBe(fits));

  test("an old chip takes no engine for Ampere and later", () => {
    const xavier = { ...orin, sm: "7.2" };
    expect(choose([{ hardware_compatibility: "ampere+", sm: "8.0" }], xavier).ok).toBe(false);
  });

  test("what is not known is not assumed, and the words name what was there and what was needed", () => {
    const { tensorrt: _none, ...bare } = orin;
    expect(choose([{ tensorrt: "10.3.0" }], bare)).toEqual({
      ok: false,
      unmet: "tensorrt 10.3.0 (this device: unknown)",
    });
    expect(choose([{ sm: "7.2", arch: "x86_64" }, { sm: "11.0" }])).toEqual({
      ok: false,
      unmet: "arch x86_64 (this device: arm64), sm 7.2 (this device: 8.7); or sm 11.0 (this device: 8.7)",
    });
  });

  test("the most particular wins: module before chip, exact before widened, anything before portable", () => {
    const best = choose([
      {},
      { sm: "8.6", hardware_compatibility: "ampere+" },
      { sm: "8.7" },
      { module: "NVIDIA Jetson Orin NX" },
    ]);
    expect(best).toMatchObject({ ok: true, variant: { digest: "d".repeat(64) } });
  });

  test("a fitting variant is found in whatever order they come, and never one that does not fit", () => {
    const stated = fc.record(
      {
        arch: fc.constantFrom("arm64", "aarch64", "x86_64"),
        sm: fc.constantFrom("8.7", "7.2", "8.0"),
        tensorrt: fc.constantFrom("10.3.0", "8.6.2", "10.13"),
        version_compatible: fc.boolean(),
        hardware_compatibility: fc.constantFrom("none" as const, "ampere+" as const),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(stated, { minLength: 1, maxLength: 6 }), (platforms) => {
        const fitting = platforms.filter((one) => choose([one]).ok);
        const forwards = choose(platforms);
        const backwards = choose(platforms.toReversed());
        expect(forwards.ok).toBe(fitting.length > 0);
        expect(backwards.ok).toBe(fitting.length > 0);
        if (forwards.ok) expect(choose([forwards.variant.platform]).ok).toBe(true);
      }),
    );
  });
});

describe("the engine's own header", () => {
  const plan = (tensorrt: string) => ({ is: "plan", tensorrt }) as const;
  const trt = { format: "trt", platform: {} };
  test.each<[string, Parameters<typeof judgeEngine>, string | null]>([
    ["the device's TensorRT", [plan("10.3.0.30"), trt, orin], null],
    ["another TensorRT", [plan("8.6.1.6"), trt, orin], "ENGINE_VERSION_MISMATCH"],
    [
      "an older one, built version-compatible",
      [plan("8.6.1.6"), { ...trt, platform: { version_compatible: true } }, orin],
      null,
    ],
    [
      "a newer one",
      [plan("10.13.3.9"), { ...trt, platform: { version_compatible: true } }, orin],
      "ENGINE_VERSION_MISMATCH",
    ],
    ["a wrapped engine", [{ is: "ultralytics" }, { ...trt, format: "engine" }, orin], "ENGINE_WRAPPED"],
    ["nothing known", [{ is: "unknown" }, trt, orin], null],
    ["a device that does not know its TensorRT", [plan("8.6.1.6"), trt, { agent_version: "t", arch: "arm64" }], null],
    ["a file that is no engine", [{ is: "ultralytics" }, { ...trt, format: "onnx" }, orin], null],
  ])("fault 48: %s", (_, given, code) => expect(judgeEngine(...given)?.code ?? null).toBe(code));

  test.each([
    [
      "The engine plan file is generated on an incompatible device, expecting compute 8.6 got compute 7.5, please rebuild.",
      "ENGINE_WRONG_GPU",
    ],
    [
      "The engine plan file is not compatible with this version of TensorRT, expecting library version 8.6.1.6 got 8.6.1.2, please rebuild.",
      "ENGINE_VERSION_MISMATCH",
    ],
    [
      "Serialization assertion stdVersionRead == kSERIALIZATION_VERSION failed.Version tag does not match. Note: Current Version: 237, Serialized Engine Version: 236",
      "ENGINE_VERSION_MISMATCH",
    ],
    ["1: [runtime.cpp::parsePlan] magicTagRead == kMAGIC_TAG failed.Magic tag does not match", "ENGINE_NO_PLAN"],
    [
      "IRuntime::deserializeCudaEngine: Error Code 2: OutOfMemory (Requested size was 2147483648 bytes.)",
      "OUT_OF_GPU_MEMORY",
    ],
    ["something else went wrong", null],
  ])("TensorRT's own words are recognised: %s", (text, code) => {
    expect(explainLoadFailure(`[E] ${text}`)?.code ?? null).toBe(code);
  });
});
