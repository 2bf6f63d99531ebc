// The linter proves that core is pure; this proves that the linter would notice, and covers the one thing it cannot see.
import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PURE = ["agent/core/**/*.ts", "hub/core/**/*.ts", "protocol/*.ts"];

test.each([
  ["a node module", 'import { readFileSync } from "node:fs";\nexport const read = readFileSync;\n'],
  ["the clock", "export const now = () => Date.now();\n"],
  ["randomness", "export const chance = () => Math.random();\n"],
  ["the network", 'export const get = () => fetch("http://127.0.0.1");\n'],
  ["the process", "export const env = () => process.env;\n"],
])("a core file that uses %s does not pass the linter", (_what, source) => {
  const dir = mkdtempSync(join(ROOT, "agent/core/.purity-"));
  try {
    writeFileSync(join(dir, "impure.ts"), `// A core file that should not pass.\n${source}`);
    expect(() => execFileSync("oxlint", [dir], { cwd: ROOT, stdio: "pipe" })).toThrow(/Command failed/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("no core file reads the clock through a bare Date", () => {
  const files = PURE.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).filter(
    (file) => !file.endsWith(".test.ts"),
  );
  expect(files.length).toBeGreaterThan(10);
  const impure = files.filter((file) => /new Date\(\s*\)/.test(readFileSync(join(ROOT, file), "utf8")));
  expect(impure).toEqual([]);
});

test("every source file says in its first line what it is for, and none is longer than 250 lines", () => {
  const files = globSync("{protocol,agent,hub,dashboard,demo,test,bench}/**/*.ts", {
    cwd: ROOT,
    exclude: (name) => /(^|\/)(node_modules|dist|\.tsc)(\/|$)/.test(name),
  });
  const wrong = files.filter((file) => {
    const lines = readFileSync(join(ROOT, file), "utf8").split("\n");
    return !lines[0]?.startsWith("// ") || lines.length > 251;
  });
  expect(wrong).toEqual([]);
});
