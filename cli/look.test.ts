// Looking: tables for people, one JSON document for scripts, nothing in a pipe that does not belong there.
import { spawn } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MAIN, openFleet, type FleetScene } from "./testing/run-cli.ts";

let at: FleetScene;
let deployment: string;
beforeAll(async () => {
  at = await openFleet();
  const ended = await at.run([
    "deploy",
    "--group",
    "line-b",
    "--version",
    "v2.1",
    "--reason",
    "a better one",
    "--json",
  ]);
  deployment = (JSON.parse(ended.stdout) as { id: string }).id;
});
afterAll(() => at.close());

/**
 * On a terminal of so many columns; `onScreen` is called whenever it has shown something.
 * @returns everything shown, and what the command ended with
 */
async function onTerminal(
  words: string,
  env: Record<string, string> = {},
  columns = 80,
  onScreen: (screen: string, type: (keys: string) => void) => void = () => undefined,
): Promise<{ screen: string; code: number | null }> {
  const { NODE_OPTIONS: _none, NO_COLOR: _neither, CI: _nor, ...rest } = process.env;
  // `exec`: a shell that stays would get Ctrl-C too, and may die of it before it can tell how the command ended.
  const command = `stty cols ${columns}; exec ${process.execPath} ${MAIN} ${words}`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    env: { ...rest, ...at.environment, TERM: "xterm", ...env },
    stdio: "pipe",
  });
  let screen = "";
  child.stdout.on("data", (chunk) => {
    screen += String(chunk);
    onScreen(screen, (keys) => void child.stdin.write(keys));
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { screen, code };
}
// eslint-disable-next-line no-control-regex
const plain = (text: string) => text.replace(/\u001b\[[\d;?]*[a-zA-Z]/g, "");

test("every command that answers does so in one JSON document with --json", async () => {
  const commands = [
    ["status"],
    ["versions"],
    ["versions", "v2.1"],
    ["groups"],
    ["groups", "line-a"],
    ["devices"],
    ["devices", "d1"],
    ["devices", "--problems"],
    ["deployments"],
    ["deployments", "list", "--open"],
    ["deployments", "show", deployment],
    ["audit"],
    ["approve", "v2.0"],
    ["versions", "v99"],
    ["groups", "nowhere"],
    ["deployments", "show", "dep-none"],
  ];
  await Promise.all(
    commands.map(async (words) => {
      const ended = await at.run([...words, "--json"]);
      expect(() => JSON.parse(ended.stdout) as unknown, words.join(" ")).not.toThrow();
    }),
  );
}, 60_000);

test("a refusal names sentence, code and the command to go on with, and has nothing on stdout", async () => {
  const ended = await at.run(["versions", "v99"]);
  expect(ended).toMatchObject({ code: 1, stdout: "" });
  expect(ended.stderr).toMatch(/^error: .*v99.* \(VERSION_UNKNOWN\)\nnext: .*context-edge versions\n$/);
});

test("status shows hub, reader, groups with versions and sync, and what is under way with its reason", async () => {
  const { stdout } = await at.run(["status"]);
  expect(stdout).toContain("local engineer");
  expect(stdout).toMatch(/line-a +v2\.0 +2\/2 +v2\.0×2 +2 in-sync/);
  expect(stdout).toMatch(/line-b +v2\.1 +1\/1 +v2\.0×1 +1 pending/);
  expect(stdout).toContain("v2.1 to line-b: running, 0/1 committed, 1 pending");
  expect(stdout).toContain("Devices are being told");
});

test("on a terminal there are colours, none with NO_COLOR, and no line is longer than 80 columns", async () => {
  for (const words of [
    "status",
    "versions",
    "devices",
    "deployments",
    "audit",
    "--help",
    "deploy --help",
    "publish --help",
  ]) {
    const lines = plain((await onTerminal(words)).screen).split(/\r?\n/);
    // An example may be longer: it is there to be copied.
    const tooLong = lines.filter((line) => line.length > 80 && !line.startsWith("  context-edge"));
    expect(tooLong, words).toEqual([]);
  }
  // eslint-disable-next-line no-control-regex
  expect((await onTerminal("status")).screen).toMatch(/\u001b\[32m/);
  // eslint-disable-next-line no-control-regex
  expect((await onTerminal("status", { NO_COLOR: "1" })).screen).not.toMatch(/\u001b\[\d+m/);
}, 60_000);

test("on a terminal a bar shows how far it is and gives the cursor back", async () => {
  const seen = onTerminal("deploy --group line-a --version v2.1 --wait --timeout 15s");
  const report = async () => {
    for (const device of [at.d1, at.d2]) await device.report("v2.1", {});
  };
  await expect
    .poll(async () => (await at.hub.call("GET", "/api/v1/groups/line-a")).body["targets"], { timeout: 10_000 })
    .toMatchObject({
      default: { version: "v2.1" },
    });
  await report();
  const { screen, code } = await seen;
  expect(code).toBe(0);
  expect(screen).toMatch(/█{16} 2\/2 finished/);
  expect(screen.lastIndexOf("\u001b[?25h")).toBeGreaterThan(screen.lastIndexOf("\u001b[?25l"));
});

test("on a narrow terminal the bar leaves room for the words, and Ctrl-C gives cursor and line wrap back", async () => {
  let isStopped = false;
  const { screen, code } = await onTerminal("deploy -g line-a -v v2.0 --wait --timeout 30s", {}, 40, (shown, type) => {
    if (isStopped || !shown.includes("pending")) return;
    isStopped = true;
    type("\u0003");
  });
  expect(screen).toContain("░░░░░░░░ 0/2 running · 2 pending");
  expect(screen.lastIndexOf("\u001b[?25h")).toBeGreaterThan(screen.lastIndexOf("\u001b[?25l"));
  expect(screen.lastIndexOf("\u001b[?7h")).toBeGreaterThan(screen.lastIndexOf("\u001b[?7l"));
  expect(code).toBe(130);
});

test("where escape sequences would be shown as they are, there is no bar", async () => {
  const { screen, code } = await onTerminal("deploy -g line-a -v v2.0 --wait --timeout 1s", {
    TERM: "dumb",
    NO_COLOR: "1",
  });
  expect(code).toBe(4);
  expect(screen).toMatch(/running: \d\/2 committed/);
  expect(screen).not.toContain("\u001b");
});

test("in a pipe times are absolute, on a terminal they are as people say them", async () => {
  const rfc3339 = /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;
  for (const words of [["audit"], ["versions"], ["versions", "v2.1"], ["devices"], ["deployments"], ["status"]]) {
    const { stdout } = await at.run(words);
    expect(stdout, words.join(" ")).toMatch(rfc3339);
    expect(stdout, words.join(" ")).not.toMatch(/\d (s|min|h|d) ago|now/);
  }
  expect((await onTerminal("audit")).screen).toMatch(/now|\d (s|min) ago/);
  const [event] = JSON.parse((await at.run(["audit", "--json"])).stdout) as { at: string }[];
  expect(event?.at).toMatch(rfc3339);
});

test.each([
  ["audit --all --json | head -c 10", 0],
  ["audit --all 2>&1 | head -c 10", 0],
  ["versions v99 --json 2>&1 | true", 1],
  ["deploy --group line-a --version v2.0 --wait --timeout 1s 2>&1 | true", 4],
])("a pipe that closes early changes nothing about how it ends: %s", async (words, code) => {
  const command = `${process.execPath} ${MAIN} ${words}; echo "end \${PIPESTATUS[0]}"`;
  const child = spawn("bash", ["-c", command], { env: { ...process.env, ...at.environment }, stdio: "pipe" });
  let text = "";
  child.stdout.on("data", (chunk) => (text += String(chunk)));
  child.stderr.on("data", (chunk) => (text += String(chunk)));
  await new Promise((resolve) => child.once("close", resolve));
  expect(text).toMatch(new RegExp(`end ${code}\n$`));
  expect(text).not.toContain("EPIPE");
});
