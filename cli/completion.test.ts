// Completion in real shells: the scripts load, and offer commands, options and the names the hub knows.
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MAIN, openFleet, type FleetScene } from "./testing/run-cli.ts";

let at: FleetScene;
let env: Record<string, string>;
beforeAll(async () => {
  at = await openFleet();
  mkdirSync(join(at.dir, "bin"));
  const command = at.file("bin/context-edge", `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`);
  chmodSync(command, 0o755);
  env = { ...at.environment, PATH: `${join(at.dir, "bin")}:${at.environment["PATH"]}` };
});
afterAll(() => at.close());

const has = (shell: string) => {
  try {
    execFileSync("sh", ["-c", `command -v ${shell}`]);
    return true;
  } catch {
    return false;
  }
};
const inShell = async (shell: string, script: string) => {
  const { stdout, stderr } = await promisify(execFile)(shell, ["-c", script], { env });
  return `${stdout}${stderr}`;
};
/** What bash offers for a line, its cursor at the end. */
const offered = (...words: string[]) =>
  inShell(
    "bash",
    `eval "$(context-edge completion bash)"
     eval "$(context-edge completion bash)"
     COMP_WORDS=(context-edge ${words.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${words.length}
     COMP_LINE="context-edge ${words.join(" ")}" COMP_POINT=\${#COMP_LINE}
     compopt() { :; }
     __context_edge_complete
     printf '%s\\n' "\${COMPREPLY[@]}"`,
  ).then((text) => text.trim().split("\n"));

test("bash loads it, twice without a word, and completes commands and options", async () => {
  expect(await offered("dep")).toEqual(["deploy", "deployments"]);
  expect(await offered("deploy", "--on")).toEqual(["--on-fail"]);
  expect(await offered("deployments", "pa")).toEqual(["pause"]);
});

test("the names that the hub knows are offered where they belong", async () => {
  expect((await offered("deploy", "--group", "line")).toSorted()).toEqual(["line-a", "line-b"]);
  expect((await offered("deploy", "--group", "line-a", "--version", "v2")).toSorted()).toEqual(["v2.0", "v2.1"]);
  expect(await offered("devices", "d2")).toEqual(["d2"]);
  expect((await offered("approve", "v")).toSorted()).toEqual(["v2.0", "v2.1"]);
});

test("without a hub it completes what it knows by itself, quickly and quietly", async () => {
  const kept = env["CONTEXT_EDGE_URL"] ?? "";
  env["CONTEXT_EDGE_URL"] = "http://127.0.0.1:9";
  expect(await offered("deploy", "--group", "line")).toEqual([""]);
  expect(await offered("roll")).toEqual(["rollback"]);
  env["CONTEXT_EDGE_URL"] = kept;
});

test.each(["zsh", "fish"])("the script for %s is printed, and loads where that shell is", async (shell) => {
  const script = await inShell("sh", `context-edge completion ${shell}`);
  expect(script).toContain("context-edge complete");
  if (!has(shell)) return;
  const load =
    shell === "zsh"
      ? 'autoload -U compinit; compinit -u; eval "$(context-edge completion zsh)"'
      : "context-edge completion fish | source";
  expect(await inShell(shell, load)).toBe("");
});
