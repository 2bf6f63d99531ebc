// A hub that is killed while a deployment is watched: the watcher says so, waits, and goes on with the hub that comes back.
import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../hub/testing/test-hub.ts";
import { openShell, type Shell } from "./testing/run-cli.ts";

const HUB = fileURLToPath(new URL("../hub/main.ts", import.meta.url));
const BYTES = Buffer.from("a model");

let shell: Shell;
let url: string;
let hub: ChildProcess;

async function startHub(): Promise<void> {
  hub = spawn(process.execPath, [HUB], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HUB_PORT: new URL(url).port,
      HUB_DATA: join(shell.dir, "hub"),
      HUB_JOIN_TOKEN_FILE: join(shell.dir, "join"),
      HUB_RELEASE_KEYS: join(shell.dir, "release.pub.pem"),
      HUB_LOG_LEVEL: "silent",
    },
    stdio: "ignore",
  });
  await until(
    () =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => undefined,
      ),
    15_000,
  );
}

async function killHub(): Promise<void> {
  const gone = new Promise((resolve) => hub.once("close", resolve));
  hub.kill("SIGKILL");
  await gone;
}

beforeEach(async () => {
  const keys = generateKeyPairSync("ed25519");
  shell = openShell();
  shell.file("release.key.pem", keys.privateKey.export({ type: "pkcs8", format: "pem" }));
  shell.file("release.pub.pem", keys.publicKey.export({ type: "spki", format: "pem" }));
  shell.file("join", "join-token-of-a-test");
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(probe.address() as AddressInfo).port}`;
  await new Promise((resolve) => probe.close(resolve));
  shell.environment["CONTEXT_EDGE_URL"] = url;
  await startHub();
});
afterEach(async () => {
  await killHub();
  shell.close();
});

const post = async (path: string, body: object, token = "") => {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  expect(answer.ok, await answer.clone().text()).toBe(true);
  return (await answer.json()) as Record<string, string>;
};

test("deploy --wait outlives a hub that is killed and started again", { timeout: 60_000 }, async () => {
  const inventory = { agent_version: "test", arch: "arm64" };
  const join_token = "join-token-of-a-test";
  const { credential } = await post("/device/v1/enroll", { join_token, device_id: "d1", group: "line-a", inventory });
  const file = shell.file("model.onnx", BYTES);
  const key = join(shell.dir, "release.key.pem");
  const published = await shell.run(["publish", file, "--version", "v1", "--accuracy", "0.9", "--key", key, "--json"]);
  expect(published.code, published.stderr).toBe(0);
  const { sha256: digest } = JSON.parse(published.stdout) as { sha256: string };
  let number = 0;
  const outbox = randomUUID();
  const report = async (current: object | null) => {
    number += 1;
    const at = new Date().toISOString();
    const model = {
      current,
      backup: null,
      current_since: at,
      attempt: null,
      last_outcome: null,
      quarantined: [],
      stats: null,
    };
    const state = {
      at,
      phase: "idle",
      inventory,
      models: { default: model },
      hold: null,
      trouble: null,
      manifest_sequence: null,
    };
    const observed = { number, state: { ...state, status_url: null } };
    await post("/device/v1/reports", { device: "d1", outbox, observed, outcomes: [] }, credential);
  };
  await report(null);

  const running = shell.start(["deploy", "--group", "line-a", "--version", "v1", "--wait", "--timeout", "50s"]);
  await running.says("0/1 committed");
  await killHub();
  await running.says("cannot be reached");
  await startHub();
  await report({ version: "v1", digest });
  const ended = await running.ended;
  expect(ended.stderr).toContain("The hub answers again");
  expect(ended.stdout).toContain("v1 to line-a: finished");
  expect(ended.code, ended.stderr).toBe(0);
});

test("a hub that stays away while it is watched ends 4, and says so", { timeout: 60_000 }, async () => {
  const file = shell.file("model.onnx", BYTES);
  const key = join(shell.dir, "release.key.pem");
  await post("/device/v1/enroll", {
    join_token: "join-token-of-a-test",
    device_id: "d1",
    group: "line-a",
    inventory: { agent_version: "test", arch: "arm64" },
  });
  await shell.run(["publish", file, "--version", "v1", "--accuracy", "0.9", "--key", key]);
  const made = await shell.run(["deployments", "list", "--json"]);
  expect(JSON.parse(made.stdout)).toEqual([]);
  const running = shell.start(["deploy", "--group", "line-a", "--version", "v1", "--wait", "--timeout", "4s"]);
  await running.says("0/1 committed");
  await killHub();
  const ended = await running.ended;
  expect(ended.stderr).toMatch(/the hub does not answer.*WAITED_TOO_LONG/);
  expect(ended.code).toBe(4);
  await startHub();
});
