// What `deploy` asks of a hub that knows waves, and how answers of other hubs are taken: against a small hub of paper.
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { json, openShell, type Shell } from "./testing/run-cli.ts";

interface Asked {
  method: string;
  path: string;
  body: unknown;
  headers: IncomingMessage["headers"];
}

const DEPLOYMENT = {
  id: "dep-0mfabcd12-0123456789",
  model: "default",
  version: "v2.1",
  kind: "spiral",
  groups: ["a", "b"],
  state: "running",
  state_reason: "Devices are being told",
  created_by: "ada",
  created_at: "2026-01-01T00:00:00.000Z",
  progress: { total: 10, committed: 1, moving: 1, waiting: 8, dreaming: 0 },
  step: 0,
  plan: { steps: [{}, {}, {}] },
  a_field_of_tomorrow: 42,
};
const PREVIEW = {
  id: "dep-0mfabcd12-0123456789",
  sentence: "46 of 50 devices have a fitting variant, 4 do not.",
  devices_total: 50,
  fitting: 46,
  groups: [
    {
      group: "a",
      devices: 50,
      fitting: 46,
      offline: 2,
      held: 1,
      incompatible: [{ device: "d9", why: "needs sm 8.7" }],
    },
  ],
  steps: [
    { groups: ["a"], devices: ["d1"] },
    { groups: ["a"], devices: ["d1", "d2"] },
  ],
  warnings: ["v2.1 is pending: this approves it"],
};

let server: Server;
let shell: Shell;
let asked: Asked[];
let answers: Record<string, { status: number; body: unknown; headers?: Record<string, string> }>;

beforeEach(async () => {
  asked = [];
  answers = {};
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += String(chunk)));
    request.on("end", () => {
      const path = (request.url ?? "").split("?", 1)[0] ?? "";
      const method = request.method ?? "";
      asked.push({ method, path, body: text === "" ? undefined : JSON.parse(text), headers: request.headers });
      const answer = answers[`${method} ${path}`] ?? {
        status: 404,
        body: { title: "Not found", status: 404, code: "NOT_FOUND" },
      };
      response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  shell = openShell({ CONTEXT_EDGE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
afterEach(async () => {
  shell.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const SAID = ["deploy", "-g", "a", "-g", "b", "--version", "v2.1"];

test("waves, start, thresholds and soak are sent as the hub takes them, groups in their order", async () => {
  answers["POST /api/v1/deployments"] = { status: 201, body: DEPLOYMENT };
  const words =
    "--waves 1,50%,100% --start-at 2026-02-01T22:00:00+01:00 --promote automatic --on-fail roll-back --max-bad 5% " +
    "--soak 1h30m --together --reason better";
  const ended = await shell.run([...SAID, ...words.split(" ")]);
  expect(ended.code, ended.stderr).toBe(0);
  expect(asked[0]?.body).toEqual({
    version: "v2.1",
    groups: ["a", "b"],
    waves: [{ count: 1 }, { share: 0.5 }, { share: 1 }],
    together: true,
    start_at: "2026-02-01T21:00:00.000Z",
    promote: "automatic",
    on_fail: "roll-back",
    max_bad: { share: 0.05 },
    gate: { soak_seconds: 5400 },
    reason: "better",
  });
  expect(asked[0]?.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(ended.stdout).toContain("1 of 10 devices committed; 1 moving, 8 in later waves; wave 1 of 3");
});

test("an older command line survives a newer hub, and --json passes on what it does not know", async () => {
  answers["POST /api/v1/deployments"] = { status: 201, body: DEPLOYMENT };
  const ended = await shell.run([...SAID, "--json"]);
  expect(json(ended)).toMatchObject({ kind: "spiral", a_field_of_tomorrow: 42, progress: { dreaming: 0 } });
});

test("--dry-run shows whom it would reach, and asks for nothing else", async () => {
  answers["POST /api/v1/deployments/preview"] = { status: 200, body: PREVIEW };
  const ended = await shell.run([...SAID, "--waves", "1,100%", "--dry-run"]);
  expect(ended.stdout).toContain(PREVIEW.sentence);
  expect(ended.stdout).toContain("d9: needs sm 8.7");
  expect(ended.stdout).toContain("wave 2: 2 devices of a");
  expect(ended.stdout).toContain("warning: v2.1 is pending");
  expect(asked.map(({ path }) => path)).toEqual(["/api/v1/deployments/preview"]);
});

test("a hub without waves is said to be too old", async () => {
  const ended = await shell.run([...SAID, "--waves", "10%,100%"]);
  expect(ended).toMatchObject({ code: 1, stdout: "" });
  expect(ended.stderr).toContain("HUB_TOO_OLD");
});

test.each([
  [["deploy", "--group", "a"], "--version"],
  [["deploy", "--version", "v1"], "--group"],
  [["deploy", "--all", "--group", "a", "--version", "v1"], "--group"],
  [["deploy", "--all", "--waves", "1", "--version", "v1"], "--waves"],
  [[...SAID, "--waves", "10%,many"], "many"],
  [[...SAID, "--start-at", "22:00"], "22:00"],
  [[...SAID, "--promote", "never"], "by-hand"],
  [[...SAID, "--wait", "--timeout", "soon"], "soon"],
  [["rollback", "--version", "v1"], "--to"],
  [["reject", "v1"], "--reason"],
  [["no-such-command"], "no-such-command"],
  [["deploy", "--group", "a", "--version", "v1", "--frobnicate"], "--frobnicate"],
  [["status", "--hub", "ftp://hub"], "ftp://hub"],
  [["audit", "-n", "none"], "none"],
  [[], "command"],
  [["devices", ""], "<device> is empty"],
  [["groups", ""], "<group> is empty"],
  [["versions", " "], "<version> is empty"],
  [["deployments", "show", ""], "<deployment> is empty"],
  [["deploy", "--group", "", "--version", "v1"], "--group is empty"],
  [["devices", "move", "d1", "--group", ""], "--group is empty"],
  [["devices", "../d1"], 'a device id may hold letters, digits, ".", "_" and "-"'],
  [["deployments", "show", "v2.1"], "looks like dep-"],
  [["versions", "--stage", "foo"], "pending, approved, rejected, archived, quarantined"],
  [["deploy", "-g", "a", "--version", "v 1"], "--version: a version may hold"],
  [["pilot", "--version", "v1", "--devices", "d1,d/2"], "--devices: a device id may hold"],
  [["pilot", "--version", "v1", "--devices", ","], "--devices: it names no device"],
  [[...SAID, "--waves", "0,100%"], "A wave of 0 has nobody in it"],
  [[...SAID, "--draft", "--wait"], "--draft or --wait"],
  [[...SAID, "--waves", "0%"], "A wave of 0% has nobody in it"],
  [[...SAID, "--reason", "x".repeat(1_001)], "--reason: it may have 1000 characters at most"],
  [[...SAID, "--waves", Array.from({ length: 51 }, (_, at) => at + 1).join(",")], "--waves: it may have 50 at most"],
  [[...SAID, "--wait", "--timeout", "25d"], "24d at most"],
  [["devices", "hold", "d1", "--hours", "0", "--reason", "repair"], "--hours: it must be more than 0"],
  [["devices", "hold", "d1", "--hours", "8", "--reason", "x"], "--reason: it needs 3 characters or more"],
  [["tokens", "create", "ci", "--scope", "publisher", "--expires", "90"], "90d for ninety days"],
  [["tokens", "create", "ci", "--scope", "king"], "publisher, viewer, engineer, admin"],
  [["tokens", "create", "c i", "--scope", "viewer"], "name: a name may hold"],
  [["users", "add", "x y", "--role", "viewer"], "name: a name may hold"],
  [["users", "role", "ada", "king"], "viewer, engineer, admin"],
  [["join-tokens", "create", "batch", "--uses", "many"], "number of devices"],
])("wrong use ends 2 and names what is wrong: %j", async (args, named) => {
  const ended = await shell.run(args);
  expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(ended.stderr).toContain(named);
  expect(ended.stderr).not.toMatch(/ at .*\.ts:\d|expected|Too small|Too big|Invalid/);
  expect(asked).toEqual([]);
});

test("a list of several pages is fetched to its end", async () => {
  const group = (name: string) => ({ name, targets: {}, devices_total: 0, devices_online: 0, sync: {}, versions: {} });
  let page = 0;
  Object.defineProperty(answers, "GET /api/v1/groups", {
    get: () => {
      page += 1;
      return { status: 200, body: { items: [group(`g${page}`)], next_cursor: page < 3 ? `g${page}` : null } };
    },
  });
  const ended = await shell.run(["groups", "--json"]);
  expect((JSON.parse(ended.stdout) as { name: string }[]).map(({ name }) => name)).toEqual(["g1", "g2", "g3"]);
});

test("a change that a busy hub turned away is sent again, the same; one whose fate is unknown is not", async () => {
  const refusal = (code: string) => ({ status: 503, body: { title: code, status: 503, code } });
  const queue = [refusal("OVERLOADED"), { status: 201, body: DEPLOYMENT }, refusal("STORE_UNAVAILABLE")];
  Object.defineProperty(answers, "POST /api/v1/deployments", { get: () => queue.shift() });
  expect((await shell.run(SAID)).code).toBe(0);
  const keys = asked.map(({ headers }) => headers["idempotency-key"]);
  expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
  expect((await shell.run(SAID)).stderr).toContain("STORE_UNAVAILABLE");
  expect(asked).toHaveLength(3);
});

test("what a device named cannot steer the reader's terminal", async () => {
  const nasty = {
    name: "a\u001b]0;owned\u0007\u001b[2Jb",
    targets: {},
    devices_total: 0,
    devices_online: 0,
    sync: {},
    versions: {},
  };
  answers["GET /api/v1/groups"] = { status: 200, body: { items: [nasty], next_cursor: null } };
  const ended = await shell.run(["groups"]);
  expect(ended.stdout).toContain("owned");
  // eslint-disable-next-line no-control-regex
  expect(ended.stdout).not.toMatch(/[\u0007\u001b]/);
});

test.each([
  [{ status: 503, body: "<html>Bad gateway</html>" }, 5, "HUB_UNREACHABLE"],
  [{ status: 200, body: "<html>Welcome</html>" }, 1, "ANSWER_NOT_UNDERSTOOD"],
  [{ status: 301, body: "", headers: { location: "https://elsewhere.example/" } }, 1, "https://elsewhere.example/"],
  [
    { status: 403, body: { title: "Forbidden", status: 403, code: "FORBIDDEN", detail: "Viewers only look." } },
    6,
    "Viewers only look.",
  ],
  [
    { status: 418, body: { title: "Tea", status: 418, code: "CODE_OF_TOMORROW", next_step: "Drink it." } },
    1,
    "CODE_OF_TOMORROW",
  ],
])("an answer that is no answer ends with its own code: %j", async (answer, code, words) => {
  answers["PUT /api/v1/groups/a/target"] = answer;
  const ended = await shell.run(["deploy", "--group", "a", "--version", "v1"]);
  expect(ended.stderr).toContain(words);
  expect(ended.code).toBe(code);
});

test("names that do not belong on a command line are not offered to a shell", async () => {
  const items = [{ id: "$(touch pwned)" }, { id: "d1" }, { id: "d2;reboot" }, { id: "../d3" }];
  answers["GET /api/v1/devices"] = { status: 200, body: { items, next_cursor: null } };
  const offered = await shell.run(["complete", "--", "devices", "hold", ""]);
  expect(offered.stdout).toBe("d1\t\n");
});
