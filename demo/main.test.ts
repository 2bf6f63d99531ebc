// `npm start` as a newcomer meets it: it comes up, says where to look, tolerates a second start, and leaves nothing behind.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const ENTRY = fileURLToPath(new URL("./main.ts", import.meta.url));
// Neither a port that systems hand out by themselves (32768 and up) nor one of the journeys' fleets (20000 and up): those run beside this.
const base = 10_000 + Math.floor(Math.random() * 40) * 250;
const parent = mkdtempSync(join(tmpdir(), "demo-"));
const dataDir = join(parent, "data");
const running: ChildProcess[] = [];

afterAll(async () => {
  for (const child of running.filter((one) => one.exitCode === null)) {
    child.kill("SIGINT");
    await once(child, "exit");
  }
  rmSync(parent, { recursive: true, force: true });
});

function startDemo(...args: string[]) {
  const child = spawn(process.execPath, [ENTRY, "--port", String(base), "--status-port", String(base + 1), ...args]);
  running.push(child);
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const said = async (text: string) => {
    while (!output.includes(text)) {
      const ended = await Promise.race([once(child.stdout, "data").then(() => false), exited.then(() => true)]);
      if (ended) throw new Error(`the demo ended before it said "${text}":\n${output}`);
    }
  };
  return { child, exited, said, output: () => output };
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

test("a demo of two devices comes into sync, refuses a second start in one line, and Ctrl-C ends every child", async () => {
  const demo = startDemo("--devices", "2", "--data", dataDir);
  await demo.said("All 2 devices are in sync");
  expect(demo.output()).toContain(`http://127.0.0.1:${base}/`);

  const second = startDemo("--devices", "2", "--data", dataDir);
  expect(await second.exited).toBe(1);
  expect(second.output().trim().split("\n")).toHaveLength(1);
  expect(second.output()).toContain(`Port ${base} is taken`);

  const logs = join(dataDir, "logs");
  const pids = readdirSync(logs)
    .filter((name) => name.endsWith(".pid"))
    .map((name) => Number(readFileSync(join(logs, name), "utf8")));
  expect(pids).toHaveLength(4);
  expect(pids.every(isAlive)).toBe(true);

  demo.child.kill("SIGINT");
  expect(await demo.exited).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
}, 150_000);

test("a directory with a stranger's files is left alone, even with --fresh", async () => {
  const stranger = mkdtempSync(join(parent, "stranger-"));
  writeFileSync(join(stranger, "thesis.txt"), "years of work");
  const demo = startDemo("--devices", "1", "--port", String(base + 120), "--fresh", "--data", stranger);
  expect(await demo.exited).toBe(1);
  expect(demo.output()).toContain("--data");
  expect(readFileSync(join(stranger, "thesis.txt"), "utf8")).toBe("years of work");
}, 20_000);

test.each([
  [["--devices", "0"], "--devices"],
  [["--port", "http"], "--port"],
  [["--bogus"], "--bogus"],
])("%j is refused with a usage message", async (args, word) => {
  const demo = startDemo(...args);
  expect(await demo.exited).toBe(1);
  expect(demo.output()).toContain(word);
});
