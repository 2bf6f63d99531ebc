// Build recipes: closed fields, one digest for one engine, statements that older agents refuse, and words that claim nothing.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { BuildRecipe, recipeDigest, recipeLacks } from "./build.ts";
import { buildPercent, buildWords, recipeWords } from "./build-words.ts";
import { Digest, ModelName, Sequence, Timestamp, VersionId } from "./names.ts";
import type { Inventory } from "./report.ts";
import { Platform, Statement, type Variant } from "./statement.ts";
import { chooseVariant } from "./variants.ts";

const digest = "a".repeat(64);
const shape = (min: number[], opt: number[], max: number[]) => ({ shapes: { images: { min, opt, max } } });

describe("a recipe", () => {
  test.each<[string, object]>([
    ["a field that is not known", { plugins: "/tmp/evil.so" }],
    ["trtexec's own words", { arguments: ["--plugins=/tmp/evil.so"] }],
    ["a precision that is none", { precision: ["fp16 --plugins=x"] }],
    ["a precision twice", { precision: ["fp16", "fp16"] }],
    ["a precision where the file has the types", { strongly_typed: true, precision: ["fp16"] }],
    ["an input whose name ends the list", { shapes: { "x,y:1": { min: [1], opt: [1], max: [1] } } }],
    ["an input with a blank", { shapes: { "x --plugins": { min: [1], opt: [1], max: [1] } } }],
    ["an input that begins like an option", { shapes: { "--plugins": { min: [1], opt: [1], max: [1] } } }],
    ["a shape of words", shape(["1" as unknown as number], [1], [1])],
    ["a smallest shape above the usual one", shape([2, 3], [1, 3], [4, 3])],
    ["shapes of different rank", shape([1], [1, 3], [1, 3])],
    ["a level that is none", { optimization_level: 6 }],
    ["a workspace in words", { workspace_mib: "1G" }],
    ["no deadline at all", { deadline_minutes: 0 }],
    ["a field inside a shape", { shapes: { x: { min: [1], opt: [1], max: [1], dtype: "fp16" } } }],
  ])("with %s is refused", (_what, recipe) => {
    expect(BuildRecipe.safeParse(recipe).success).toBe(false);
  });

  test("takes the names of inputs that exporters give", () => {
    for (const name of ["images", "input:0", "model/in_1", "x.1", "_in-2"]) {
      expect(BuildRecipe.safeParse({ shapes: { [name]: { min: [1], opt: [1], max: [2] } } }).success, name).toBe(true);
    }
  });

  test("has one digest, whatever the order, and whatever is said that goes without saying", () => {
    const one = BuildRecipe.parse({ precision: ["fp16"], workspace_mib: 512 });
    const other = BuildRecipe.parse({ workspace_mib: 512, version_compatible: false, precision: ["fp16"], shapes: {} });
    expect(recipeDigest(one)).toBe(recipeDigest(other));
    expect(recipeDigest(BuildRecipe.parse({ ...one, deadline_minutes: 9 }))).toBe(recipeDigest(one));
    const both = (...precision: ("fp16" | "bf16")[]) => recipeDigest(BuildRecipe.parse({ precision }));
    expect(both("fp16", "bf16")).toBe(both("bf16", "fp16"));
    expect(recipeDigest(BuildRecipe.parse({ ...one, precision: ["bf16"] }))).not.toBe(recipeDigest(one));
    expect(recipeDigest(BuildRecipe.parse({ ...one, optimization_level: 0 }))).not.toBe(recipeDigest(one));
    // Fixed by hand once: devices and hubs of different age must agree.
    expect(recipeDigest(one)).toBe("c26f3bfd4671f0be00f65137bfa1c96bad1226fd481b4975de159230cc73b770");
  });

  test.each([
    [{ precision: ["bf16"] }, "8.6.2", "TensorRT 9.0 or newer for the build recipe"],
    [{ optimization_level: 3 }, "8.5.2", "TensorRT 8.6 or newer for the build recipe"],
    [{ precision: ["fp16"] }, "11.0.0", "TensorRT before 11 for the build recipe's precision"],
    [{ precision: ["fp16", "bf16"] }, "10.3.0.30", null],
    [{ strongly_typed: true }, "11.1.0", null],
  ] as const)("%j on TensorRT %s lacks %j", (recipe, tensorrt, lacking) => {
    expect(recipeLacks(BuildRecipe.parse(recipe), tensorrt)).toBe(lacking);
  });
});

describe("a statement", () => {
  const statement = (schema: number, variant: object, more: object = {}) => ({
    schema,
    model: "default",
    version: "v2.1",
    release: 1,
    created_at: "2026-01-01T00:00:00.000Z",
    variants: [{ digest, size_bytes: 9, format: "onnx", ...variant }],
    ...more,
  });
  const golden = { tolerance: {}, samples: [] };

  test.each<[string, object, boolean]>([
    ["of schema 2 with a recipe", statement(2, { build: {} }), true],
    ["of schema 1 without one", statement(1, {}), true],
    ["of schema 1 with a recipe, which an older agent would not see", statement(1, { build: {} }), false],
    ["of schema 2 without one", statement(2, {}), false],
    ["of a schema nobody knows", statement(3, { build: {} }), false],
    ["with a recipe field nobody knows", statement(2, { build: { plugins: "x" } }), false],
    ["with a recipe for a file that is an engine", statement(2, { build: {}, format: "trt" }), false],
    ["with int8 and nothing to prove it by", statement(2, { build: { precision: ["int8"] } }), false],
    ["with int8 and golden samples", statement(2, { build: { precision: ["int8"] } }, { golden }), true],
  ])("%s is judged rightly", (_what, value, isTaken) => {
    expect(Statement.safeParse(value).success).toBe(isTaken);
  });

  test("with a recipe is refused whole by an agent of the release before", () => {
    // Its schema, as it was released.
    const before = z.object({
      schema: z.literal(1),
      model: ModelName,
      version: VersionId,
      release: Sequence,
      minimum_release: Sequence.optional(),
      created_at: Timestamp,
      variants: z
        .array(z.object({ digest: Digest, size_bytes: z.number(), format: z.string(), platform: Platform.default({}) }))
        .min(1),
    });
    expect(before.safeParse(statement(1, {})).success).toBe(true);
    // Without the refusal it would see an ONNX file for every platform, and serve it.
    expect(before.safeParse(statement(1, { build: {} })).data?.variants[0]).toEqual({
      digest,
      size_bytes: 9,
      format: "onnx",
      platform: {},
    });
    expect(before.safeParse(statement(2, { build: {} })).success).toBe(false);
  });
});

describe("who may build", () => {
  const orin: Inventory = {
    agent_version: "1",
    arch: "arm64",
    sm: "8.7",
    tensorrt: "10.3.0.30",
    engine_builder: "trtexec",
    statements: 2,
  };
  const onnx: Variant = {
    digest,
    size_bytes: 9,
    format: "onnx",
    platform: { sm: "8.7" },
    build: BuildRecipe.parse({ precision: ["bf16"] }),
  };
  const plain: Variant = { digest: "b".repeat(64), size_bytes: 9, format: "trt", platform: { sm: "8.7" } };
  const without = (...keys: (keyof Inventory)[]): Inventory => {
    const kept = Object.entries(orin).filter(([key]) => !keys.includes(key as keyof Inventory));
    return Object.fromEntries(kept) as unknown as Inventory;
  };

  test.each<[string, Inventory, string]>([
    [
      "an older agent",
      without("statements", "engine_builder"),
      "an agent that understands build recipes (this device: 1)",
    ],
    ["no trtexec", without("engine_builder"), "trtexec to build the engine with (this device: none)"],
    ["an unknown TensorRT", without("tensorrt"), "a TensorRT that is known (this device: unknown)"],
    [
      "too old a TensorRT",
      { ...orin, tensorrt: "8.5.2" },
      "TensorRT 9.0 or newer for the build recipe (this device: 8.5.2)",
    ],
    ["another GPU", { ...orin, sm: "7.2" }, "sm 8.7 (this device: 7.2)"],
  ])("a device with %s does not fit, and it is said why", (_what, inventory, unmet) => {
    expect(chooseVariant([onnx], inventory)).toEqual({ ok: false, unmet });
  });

  test("a device that can build fits, and takes an engine that is built already before one that has yet to be", () => {
    expect(chooseVariant([onnx], orin)).toEqual({ ok: true, variant: onnx });
    expect(chooseVariant([onnx, plain], orin)).toEqual({ ok: true, variant: plain });
    expect(chooseVariant([plain, onnx], orin)).toEqual({ ok: true, variant: plain });
  });

  test("an older agent takes nothing of a version that has a recipe anywhere: it cannot read its papers", () => {
    expect(chooseVariant([plain, onnx], without("statements")).ok).toBe(false);
    expect(chooseVariant([plain], without("statements")).ok).toBe(true);
  });
});

describe("in words", () => {
  const at = (elapsed_s: number | null, estimate_s: number | null) => ({
    stage: "choosing kernels",
    elapsed_s,
    estimate_s,
    deadline_s: 3_600,
  });
  test.each([
    [at(258, 600), "v2.0", "Building the engine, 43 %, about 6 min left, v2.0 keeps serving"],
    [at(240, null), "v2.0", "Building the engine: choosing kernels, 4 min so far, no estimate yet, v2.0 keeps serving"],
    [
      at(700, 600),
      "v2.0",
      "Building the engine: choosing kernels, 12 min so far, longer than the 10 min it took before, v2.0 keeps serving",
    ],
    [at(12, null), null, "Building the engine: choosing kernels, 12 s so far, no estimate yet"],
    [at(null, null), "v2.0", "The engine has yet to be built: choosing kernels, v2.0 keeps serving"],
  ])("%j with %s is %j", (build, serving, words) => {
    expect(buildWords(build, serving)).toBe(words);
  });

  test("no percentage is made up: not without an earlier build, not beyond it, and never 100", () => {
    expect(buildPercent(at(60, null))).toBeNull();
    expect(buildPercent(at(600, 600))).toBeNull();
    expect(buildPercent(at(599.9, 600))).toBe(99);
    expect(buildPercent(at(0, 600))).toBe(0);
  });

  test("a recipe is what it says and nothing more", () => {
    expect(recipeWords(BuildRecipe.parse({}))).toBe("fp32");
    expect(
      recipeWords(BuildRecipe.parse({ precision: ["fp16"], optimization_level: 4, ...shape([1], [1], [2]) })),
    ).toBe("fp32+fp16, level 4, shapes of images");
  });
});
