// The Python side's own tests and types, so that one command runs all of training's.
import { describe, expect, test } from "vitest";
import { execute, findPython } from "./python.ts";

const python = await findPython();
/** A minute on a quiet machine: v2.2 of the demo is slow on purpose, and its figures are measured anew. */
const LONGEST_MS = 600_000;

describe.skipIf(!python.ok)("training's own", () => {
  const path = python.ok ? python.path : "";

  test(
    "tests pass",
    async () => {
      const { code, stderr } = await execute(
        path,
        ["-m", "unittest", "discover", "-t", ".", "-s", "training"],
        {},
        LONGEST_MS,
      );
      expect(code, stderr).toBe(0);
      // A run that finds no test ends well too.
      expect(Number(/Ran (\d+) tests/.exec(stderr)?.[1])).toBeGreaterThan(60);
    },
    LONGEST_MS,
  );

  test("types hold, strictly", async () => {
    const { code, stdout } = await execute(path, ["-m", "mypy", "--config-file", "training/mypy.ini", "training"]);
    expect(code, stdout).toBe(0);
  });
});
