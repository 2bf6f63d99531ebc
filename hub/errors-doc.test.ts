// docs/errors.md has every code with the status it is really answered with, and none that does not exist.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ProblemCode } from "@context-edge/protocol";
import { ProblemError } from "./problem-error.ts";

const FILE = fileURLToPath(new URL("../docs/errors.md", import.meta.url));

test("every code is listed once, with its status, its meaning and what to do", async () => {
  const rows = (await readFile(FILE, "utf8")).matchAll(/^\| `([A-Z_]+)`\s*\| (\d{3})\s*\|([^|]+)\|([^|]+)\|$/gm);
  const listed = [...rows].map(([, code, status, meaning = "", advice = ""]) => {
    expect(meaning.trim().length, code).toBeGreaterThan(10);
    expect(advice.trim().length, code).toBeGreaterThan(10);
    return [code, Number(status)];
  });
  const real = ProblemCode.options.map((code) => [code, new ProblemError(code, "").toProblem().status]);
  expect(listed).toEqual(real.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
});
