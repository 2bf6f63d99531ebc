// Completion in real shells: what is offered where, and that a line which is only being typed runs nothing and empties nothing.
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAIN, openFleet, type FleetScene } from "./testing/run-cli.ts";
import { openTypist, SHELLS } from "./testing/typed-line.ts";

let at: FleetScene;
let env: Record<string, string>;
beforeAll(async () => {
  at = await openFleet();
  mkdirSync(join(at.dir, "bin"));
  // Leaves behind what it was asked, so that a test knows when TAB was answered.
  const ask = `#!/bin/sh\n${process.execPath} ${MAIN} "$@"\ncode=$?\n[ "$1" = complete ] && echo "$*" >> ${at.dir}/asked\nexit $code\n`;
  chmodSync(at.file("bin/context-edge", ask), 0o755);
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
/** What bash offers for these words, the cursor at the end of the last one. */
async function offered(...words: string[]): Promise<string[]> {
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const script = `eval "$(context-edge completion bash)"
     eval "$(context-edge completion bash)"
     COMP_WORDS=(context-edge ${quoted}) COMP_CWORD=${words.length}
     compopt() { echo "compopt $*"; }
     _context_edge
     printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await promisify(execFile)("bash", ["-c", script], { env });
  return `${stdout}${stderr}`.trim().split("\n").toSorted();
}

test("bash loads it, twice without a word, and completes commands and options", async () => {
  expect(await offered("dep")).toEqual(["deploy", "deployments"]);
  expect(await offered("deploy", "--on")).toEqual(["--on-fail"]);
  expect(await offered("deployments", "pa")).toEqual(["pause"]);
  expect(await offered("deploy", "--on-fail", "")).toEqual(["halt", "roll-back"]);
  expect(await offered("completion", "")).toEqual(["bash", "fish", "zsh"]);
});

test("the names that the hub knows are offered where they belong", async () => {
  expect(await offered("deploy", "--group", "line")).toEqual(["line-a", "line-b"]);
  expect(await offered("deploy", "--reason", "deploy it", "--group", "line-a", "--version", "v2")).toEqual([
    "v2.0",
    "v2.1",
  ]);
  expect(await offered("devices", "d2")).toEqual(["d2"]);
  expect(await offered("devices", "move", "d1", "--group", "line-b")).toEqual(["line-b"]);
  expect(await offered("devices", "")).toEqual(expect.arrayContaining(["d1", "d2", "d3", "hold", "move"]));
  expect(await offered("deploy", "--model", "other", "--version", "v")).toEqual([""]);
});

test("after an equals sign and after a comma it goes on with the next name", async () => {
  // As bash takes a line apart: the equals sign is a word of its own.
  expect(await offered("deploy", "--group", "=", "line")).toEqual(["line-a", "line-b"]);
  expect(await offered("deploy", "--group", "=")).toEqual(["line-a", "line-b"]);
  expect(await offered("pilot", "--devices", "d1,d")).toEqual(["d1,d1", "d1,d2", "d1,d3"]);
});

test("a review offers what waits for one, --stage its stages, publish its files", async () => {
  expect(await offered("approve", "")).toEqual(["v2.1"]);
  expect(await offered("reject", "v")).toEqual(["v2.1"]);
  expect(await offered("versions", "--stage", "")).toEqual([
    "approved",
    "archived",
    "pending",
    "quarantined",
    "rejected",
  ]);
  expect(await offered("publish", "mod")).toEqual(["compopt -o default"]);
  expect(await offered("publish", "model.onnx", "--version", "")).toEqual([""]);
  expect(await offered("publish", "model.onnx", "--key", "")).toEqual(["compopt -o default"]);
});

test("without a hub it completes what it knows by itself, quickly and quietly", async () => {
  const kept = env["CONTEXT_EDGE_URL"] ?? "";
  env["CONTEXT_EDGE_URL"] = "http://127.0.0.1:9";
  expect(await offered("deploy", "--group", "line")).toEqual([""]);
  expect(await offered("roll")).toEqual(["rollback"]);
  env["CONTEXT_EDGE_URL"] = kept;
});

describe.each(SHELLS)("%s", (shell) => {
  test("completes a name in a line that is typed, and the line then does what it says", async () => {
    if (!has(shell)) return;
    const typist = await openTypist(shell, at.dir, env);
    typist.type("context-edge groups line-\t");
    await typist.shows("line-b");
    typist.type("a --js\t");
    await typist.shows("--json");
    typist.type("\n");
    await typist.shows('"devices_total"');
    await typist.close();
  });

  test("runs nothing of a line that is only being completed, and empties no file", async () => {
    if (!has(shell)) return;
    const victim = at.file("victim", "precious");
    const pwned = join(at.dir, "pwned");
    const lines = [
      "context-edge devices $(touch pwned) d",
      "context-edge devices `touch pwned` d",
      'context-edge devices "$(touch pwned)" d',
      "context-edge devices --group=$(:>pwned)= d",
      "context-edge devices --group=$(:>pwned)=",
      "context-edge devices a > victim d",
      "context-edge devices '; touch pwned;' d",
      "context-edge devices a \\; touch pwned d",
    ];
    rmSync(pwned, { force: true });
    writeFileSync(join(at.dir, "asked"), "");
    const typist = await openTypist(shell, at.dir, env);
    for (const [number, line] of lines.entries()) {
      // Thrown away after TAB (Ctrl-E, Ctrl-U); the next command shows that the shell has come so far.
      typist.type(`${line}\t\u0005\u0015`);
      await typist.run(`echo so''far ${number}`, `sofar ${number}`);
      expect(existsSync(pwned), line).toBe(false);
      expect(readFileSync(victim, "utf8"), line).toBe("precious");
    }
    await typist.close();
    expect(readFileSync(join(at.dir, "asked"), "utf8")).toContain("complete -- devices $(touch");
  });
});
