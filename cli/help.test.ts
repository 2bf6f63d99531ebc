// Help and handbook: every command has an example and is in docs/cli.md, and so is every exit code.
import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { EXIT } from "./exits.ts";
import { buildProgram } from "./program.ts";

const HANDBOOK = readFileSync(new URL("../docs/cli.md", import.meta.url), "utf8");

let printed = "";
const sink = new Writable({
  write(chunk, _encoding, done) {
    printed += String(chunk);
    done();
  },
}) as NodeJS.WriteStream;
const program = buildProgram({
  environment: {},
  streams: { stdin: process.stdin, stdout: sink, stderr: sink },
  ifStopped: () => undefined,
});
const everyCommand = (of: Command, path: string): [string, Command][] =>
  of.commands.flatMap((command) => {
    const name = `${path}${command.name()}`;
    return [[name, command], ...everyCommand(command, `${name} `)];
  });
const all = everyCommand(program, "");

test.each(all)("%s has an example in its help, and a line in the handbook", (name, command) => {
  printed = "";
  command.outputHelp();
  expect(printed).toMatch(new RegExp(`Examples:\n[^]*context-edge ${name}`));
  const [first = "", action] = name.split(" ");
  const rows = HANDBOOK.split("\n").filter((line) => line.startsWith("|") && line.includes(`\`${first}`));
  expect(rows.join("\n"), `docs/cli.md does not name ${name}`).toContain(action ?? first);
});

test("every exit code is in the help and in the handbook", () => {
  printed = "";
  program.outputHelp();
  for (const code of Object.values(EXIT)) {
    expect(printed).toMatch(new RegExp(`^ +${code}  `, "m"));
    expect(HANDBOOK).toMatch(new RegExp(`^\\| ${code} +\\|`, "m"));
  }
});
