// What an engine stands for, whether it fits here, which files stay for it, and what is told of one that fits no more.
import { BuildRecipe, ProbePolicy, recipeDigest } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { isMadeOf, isStale, keyOf, variantOf } from "./built.ts";
import type { BuildOrder } from "./candidate.ts";
import { findRefusal } from "./refusal.ts";
import { deletableFiles, keptDigests } from "./retention.ts";
import { staleTrouble, wishOrWhatRuns } from "./stale.ts";
import { type Candidate, type Disk, EMPTY_JOURNAL, type Slot, type Wish } from "./state.ts";

const digestOf = (letter: string) => letter.repeat(64);
type Recipe = z.input<typeof BuildRecipe>;

function order(
  recipe: Recipe = { precision: ["fp16"] },
  tensorrt = "10.3.0.30",
  sm: string | null = "8.7",
): BuildOrder {
  const parsed = BuildRecipe.parse(recipe);
  return { recipe: parsed, recipeDigest: recipeDigest(parsed), tensorrt, sm };
}
function candidate(letter = "b", build: BuildOrder = order(), version = "v2.1"): Candidate & { build: BuildOrder } {
  const policy = ProbePolicy.parse({});
  const more = { release: 1, minimumRelease: 0, deploymentId: "d1", retry: 0, policy };
  return { model: "default", version, digest: digestOf(letter), sizeBytes: 9, format: "onnx", build, ...more };
}
const engine = (of = candidate(), letter = "e"): Extract<Slot, { is: "file" }> => ({
  is: "file",
  file: `model-${of.version}.engine`,
  version: of.version,
  digest: digestOf(letter),
  sizeBytes: 9,
  since: 1,
  built: { candidate: of, builtAt: "2026-01-01T00:00:00.000Z", tookMs: 1 },
});
const disk = (current: Slot, files: string[] = []): Disk => ({ current, backup: { is: "empty" }, files });
const wishFor = (one: Candidate): Wish => ({ is: "candidate", candidate: one });
const NOTHING: Wish = { is: "nothing", why: "paused" };

describe("an engine", () => {
  test("is known by its variant's digest", () => {
    expect(variantOf(engine())).toBe(digestOf("b"));
    expect(variantOf({ digest: digestOf("a") })).toBe(digestOf("a"));
  });

  test.each<[string, Candidate, "made of it" | "stale" | "another"]>([
    ["the very same", candidate(), "made of it"],
    ["the same, TensorRT said in fewer numbers", candidate("b", order(undefined, "10.3")), "made of it"],
    ["another file", candidate("c"), "another"],
    ["the same file by another recipe", candidate("b", order({ precision: ["bf16"] })), "another"],
    ["the same for a later TensorRT", candidate("b", order(undefined, "10.16.2")), "stale"],
    ["the same for an earlier TensorRT", candidate("b", order(undefined, "8.6.2")), "stale"],
    ["the same for another GPU", candidate("b", order(undefined, "10.3.0.30", "11.0")), "stale"],
  ])("against %s", (_what, wanted, is) => {
    expect(isMadeOf(engine(), wanted)).toBe(is === "made of it");
    expect(isStale(engine(), wanted)).toBe(is === "stale");
  });

  test.each<[Recipe, BuildOrder["tensorrt"], string, boolean]>([
    [{ version_compatible: true }, "10.16.2", "8.7", true],
    [{ version_compatible: true }, "8.6.2", "8.7", false],
    [{ version_compatible: true }, "10.16.2", "11.0", false],
    [{ hardware_compatibility: "ampere+" }, "10.3.0", "11.0", true],
    [{ hardware_compatibility: "ampere+" }, "10.3.0", "7.2", false],
    [{ hardware_compatibility: "ampere+" }, "10.16.2", "8.7", false],
  ])("built with %j, on TensorRT %s and SM %s: fits is %s", (recipe, tensorrt, sm, fits) => {
    const built = engine(candidate("b", order(recipe)));
    expect(isMadeOf(built, candidate("b", order(recipe, tensorrt, sm)))).toBe(fits);
  });

  test("is not what a device is asked for that is to run the file itself", () => {
    const { build: _build, ...plain } = candidate();
    expect(isMadeOf(engine(), plain)).toBe(false);
    expect(isMadeOf({ digest: plain.digest }, plain)).toBe(true);
    expect(keyOf(plain)).not.toBe(keyOf(candidate()));
  });
});

test("a refusal is of the file by its recipe: another recipe, or the file itself, has its own chance", () => {
  const words = { code: "X", message: "", retry: 0, deploymentId: "d", kind: "quarantined" as const };
  const refusals = [{ digest: digestOf("b"), recipe: order().recipeDigest, ...words }];
  expect(findRefusal(refusals, candidate())).toBeDefined();
  expect(findRefusal(refusals, candidate("b", order(undefined, "10.16.2")))).toBeDefined();
  expect(findRefusal(refusals, candidate("b", order({ precision: ["bf16"] })))).toBeUndefined();
  const { build: _build, ...plain } = candidate();
  expect(findRefusal(refusals, plain)).toBeUndefined();
});

describe("files that stay", () => {
  const published = {
    "model-v2.1.engine": engine(),
    "model-v2.1.onnx": { version: "v2.1", digest: digestOf("b"), sizeBytes: 9 },
    "model-v2.1-eeee.engine": engine(candidate(), "f"),
    "model-v2.2.onnx": { version: "v2.2", digest: digestOf("c"), sizeBytes: 9 },
    "model-v2.2.engine": engine(candidate("c", order(), "v2.2"), "d"),
    "model-v2.2-dddd.engine": engine(candidate("c", order(undefined, "8.6.2"), "v2.2"), "9"),
  };
  const journal = { ...EMPTY_JOURNAL, published };
  const files = Object.keys(published);

  test("the engine that runs and the file it came from; another engine of it is one that rotted", () => {
    const gone = deletableFiles(journal, disk(engine(), files), wishFor(candidate()));
    expect(gone).toEqual(["model-v2.1-eeee.engine", "model-v2.2.onnx", "model-v2.2.engine", "model-v2.2-dddd.engine"]);
  });

  test("what is wished next: its file, and an engine of it that fits", () => {
    const gone = deletableFiles(journal, disk(engine(), files), wishFor(candidate("c", order(), "v2.2")));
    expect(gone).toEqual(["model-v2.1-eeee.engine", "model-v2.2-dddd.engine"]);
  });

  test("statements are kept under the variant's digest, which is how they came", () => {
    expect(keptDigests(disk(engine()), NOTHING)).toEqual([digestOf("b")]);
  });
});

describe("TensorRT replaced", () => {
  const now = { agent_version: "1", arch: "arm64", sm: "8.7", tensorrt: "10.16.2.10" };

  test("what runs is wished for once more where the hub asks for nothing, built for what is there now", () => {
    const wish = wishOrWhatRuns(NOTHING, disk(engine()), now);
    expect(wish).toMatchObject({ is: "candidate", candidate: { version: "v2.1", build: { tensorrt: "10.16.2.10" } } });
  });

  test.each<[string, Wish, Slot, typeof now]>([
    ["the hub asks for another version", wishFor(candidate("c")), engine(), now],
    ["the engine fits", NOTHING, engine(), { ...now, tensorrt: "10.3.0" }],
    ["what runs was never built here", NOTHING, { ...engine(), built: undefined }, now],
    ["nothing runs", NOTHING, { is: "empty" }, now],
  ])("nothing is wished beside what is asked for when %s", (_what, wish, current, inventory) => {
    expect(wishOrWhatRuns(wish, disk(current), inventory)).toEqual(wish);
  });

  test("it is told with both releases, and whether it mends itself", () => {
    const wish = wishFor(candidate("b", order(undefined, "10.16.2")));
    const seen = { journal: EMPTY_JOURNAL, disk: disk(engine()), wish };
    expect(staleTrouble(seen)).toEqual({
      code: "ENGINE_STALE",
      message:
        "the engine of v2.1 was built for TensorRT 10.3.0.30 on SM 8.7, this device has TensorRT 10.16.2 on SM 8.7 now",
      next_step: "Nothing, if the update was meant: the engine is built anew by itself. See what it waits for.",
    });
    const words = { code: "BUILD_FAILED", message: "", retry: 0, deploymentId: "d", kind: "rejected" as const };
    const refusals = [{ digest: digestOf("b"), recipe: order().recipeDigest, ...words }];
    const refused = staleTrouble({ ...seen, journal: { ...EMPTY_JOURNAL, refusals } });
    expect(refused?.next_step).toMatch(/^It could not be built anew \(BUILD_FAILED\)/);
    expect(staleTrouble({ ...seen, wish: wishFor(candidate()) })).toBeNull();
  });
});
