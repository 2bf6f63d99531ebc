// Which stream is the journal's, and what a process writes then: seen from outside, on a real pipe.
import { execFileSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { tempDir } from "../testing/temp-dir.ts";

const MODULE = fileURLToPath(new URL("journal.ts", import.meta.url));
const WRITE = `const { logStream } = await import(${JSON.stringify(MODULE)});
const { pino } = await import("pino");
pino({ base: { device: "edge-001" } }, logStream(process.env)).warn({ code: "TIMEOUT" }, "the hub cannot be followed");`;

/** Writes a log line to a file that the environment names as the journal's stream, or not. */
async function written(named: (stream: string) => string | undefined): Promise<string> {
  const file = join(await tempDir(), "stdout");
  const fd = openSync(file, "w");
  try {
    const { dev, ino } = fstatSync(fd);
    const stream = named(`${dev}:${ino}`);
    const { JOURNAL_STREAM: _own, ...environment } = process.env;
    execFileSync(process.execPath, ["--input-type=module", "-e", WRITE], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", fd, "inherit"],
      env: { ...environment, ...(stream === undefined ? {} : { JOURNAL_STREAM: stream }) },
    });
  } finally {
    closeSync(fd);
  }
  return readFileSync(file, "utf8");
}

test("the journal gets one readable line with its priority", async () => {
  expect(await written((stream) => stream)).toBe("<4>the hub cannot be followed (code=TIMEOUT)\n");
});

test.each([
  ["no journal", () => undefined],
  // As after `context-edge-agent run > file`: the variable is inherited, the stream is another.
  ["a journal on another stream", () => "8:1"],
])("JSON is written where there is %s", async (_what, named) => {
  expect(JSON.parse(await written(named))).toMatchObject({ level: 40, device: "edge-001", code: "TIMEOUT" });
});
