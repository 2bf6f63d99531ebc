// A hub and agents in containers as the manifests run them: the hub in a network of its own, each agent in its host's, with that host's inference service.
import { chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startInference } from "@context-edge/demo/fleet.ts";
import { connectToHub, type HubApi } from "@context-edge/demo/hub-api.ts";
import { ensureKeys, loadSigningKey } from "@context-edge/demo/keys.ts";
import { type DemoDevice, LINK_NAME } from "@context-edge/demo/layout.ts";
import { findTakenPort } from "@context-edge/demo/ports.ts";
import { superviseChildren } from "@context-edge/demo/processes.ts";
import type { SigningKey } from "@context-edge/protocol";
import { docker, execute } from "./engine.ts";

/** User and group in the images. */
export const USER = 10_001;
const PREPARE_NODE = fileURLToPath(new URL("../../k3s/host/prepare-node", import.meta.url));
const NETWORK = "context-edge-test";
const SUBNET = "10.231.77.0/28";
const HUB_ADDRESS = "10.231.77.10";
const HUB_URL = `http://${HUB_ADDRESS}:8000`;
/** What the pods of k3s/ are held to. */
const NOTHING = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "256"];
/** Shorter than on a factory floor, and wider: everything shares this machine's cores. */
const POLICY = { warmup_ms: 500, window_ms: 4_000, pace_ms: 15, baseline_floor_ms: 25, soak_ms: 3_000 };

export interface ContainerFleet {
  devices: readonly DemoDevice[];
  hub: HubApi;
  releaseKey: SigningKey;
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  startHub(): Promise<unknown>;
  /** One of the hub's commands in a container of its own, on the hub's volume. */
  hubJob(...words: string[]): Promise<string>;
  /** @throws Error with what Docker said */
  run(...argv: string[]): Promise<string>;
  phase(device: DemoDevice): Promise<string>;
  close(): Promise<void>;
}

/** @param imageOf name of the image of `hub` or `agent` */
export async function startContainers(host: string, imageOf: (target: string) => string): Promise<ContainerFleet> {
  const directory = mkdtempSync(join(tmpdir(), "context-edge-containers-"));
  const devices = await makeDevices(directory, 2);
  const keys = ensureKeys(join(directory, "keys"));
  const children = superviseChildren(join(directory, "logs"), () => undefined);
  const names = ["hub", ...devices.map(({ id }) => id)];
  const run = async (...argv: string[]) => {
    const said = await docker(host, ...argv);
    if (said.exitCode !== 0) throw new Error(`docker ${argv.join(" ")}: ${said.stderr}`);
    return said.stdout.trim();
  };
  const clear = async () => {
    await docker(host, "rm", "--force", ...names);
    await docker(host, "volume", "rm", "--force", "context-edge-hub");
    await docker(host, "network", "rm", NETWORK);
  };
  /** Each container is shown its own secrets, readable by its user alone. */
  const secretsOf = (name: string, files: readonly string[]) => {
    const shown = join(directory, "secrets", name);
    mkdirSync(shown, { recursive: true, mode: 0o700 });
    for (const file of files) copyFileSync(file, join(shown, basename(file)));
    for (const path of [shown, ...files.map((file) => join(shown, basename(file)))]) chownSync(path, USER, USER);
    return ["--volume", `${shown}:/run/secrets/context-edge:ro`];
  };
  const secret = (file: string) => `/run/secrets/context-edge/${basename(file)}`;
  const settings = (env: Record<string, string>) =>
    Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const start = (name: string, options: readonly string[], image: string) =>
    run("run", "--detach", "--name", name, "--health-interval", "1s", ...NOTHING, ...options, image);

  const ofHub = () => {
    const env = settings({
      HUB_SIGNING_KEY_FILE: secret(keys.hubKeyFile),
      HUB_RELEASE_KEYS: secret(keys.releasePublicFile),
      HUB_JOIN_TOKEN_FILE: secret(keys.joinTokenFile),
      HUB_PROBE_POLICY: JSON.stringify(POLICY),
    });
    const files = secretsOf("hub", [keys.hubKeyFile, keys.releasePublicFile, keys.joinTokenFile]);
    return ["--volume", "context-edge-hub:/var/lib/context-edge", ...files, ...env];
  };
  const startHub = () => start("hub", ["--network", NETWORK, "--ip", HUB_ADDRESS, ...ofHub()], imageOf("hub"));
  const hubJob = (...words: string[]) =>
    run("run", "--rm", "--network", "none", ...NOTHING, ...ofHub(), imageOf("hub"), ...words);
  const startAgent = async ({ id, modelsDir, statusPort, inferencePort }: DemoDevice) => {
    const env = settings({
      AGENT_DEVICE_ID: id,
      AGENT_GROUP: "line",
      AGENT_HUB_URL: HUB_URL,
      AGENT_HUB_KEYS: secret(keys.hubPublicFile),
      AGENT_RELEASE_KEYS: secret(keys.releasePublicFile),
      AGENT_JOIN_TOKEN_FILE: secret(keys.joinTokenFile),
      AGENT_LINK_NAME: LINK_NAME,
      AGENT_RELOADER: "triton",
      AGENT_PROBE: "oip",
      AGENT_INFERENCE_URL: `http://127.0.0.1:${inferencePort}`,
      AGENT_STATUS_PORT: String(statusPort),
      AGENT_DISK_RESERVE: "16MB",
    });
    const files = secretsOf(id, [keys.hubPublicFile, keys.releasePublicFile, keys.joinTokenFile]);
    const shared = ["--volume", `${join(modelsDir, "..")}:/opt/context-edge`];
    await start(id, ["--network", "host", "--memory", "256m", ...shared, ...files, ...env], imageOf("agent"));
  };
  const close = async () => {
    await children.stopAll();
    await clear();
    rmSync(directory, { recursive: true, force: true });
  };

  await clear();
  try {
    await run("network", "create", "--subnet", SUBNET, "--internal", NETWORK);
    await startHub();
    await startInference(children, devices);
    // As an administrator would: by the hub's own command, beside the hub that runs.
    const token = await whenReady(HUB_URL, () =>
      run("exec", "hub", "node", "hub/main.ts", "token", "create", "test", "--scope", "admin"),
    );
    for (const device of devices) await startAgent(device);
    const call: ContainerFleet["call"] = async (method, path, body) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const reply = await fetch(`${HUB_URL}${path}`, { method, headers, ...sent });
      const answer: unknown = await reply.json();
      if (!reply.ok) throw new Error(`${method} ${path} answers ${reply.status}: ${JSON.stringify(answer)}`);
      return answer;
    };
    const phase = async ({ statusPort }: DemoDevice) => {
      const reply = await fetch(`http://127.0.0.1:${statusPort}/status.json`);
      return ((await reply.json()) as { phase: string }).phase;
    };
    const hub = connectToHub(HUB_URL, token);
    return { devices, hub, releaseKey: loadSigningKey(keys.releaseKeyFile), call, startHub, hubJob, run, phase, close };
  } catch (error) {
    const logs = await Promise.all(
      names.map(async (name) => (await docker(host, "logs", "--tail", "20", name)).stderr),
    );
    await close();
    throw new Error(`the containers did not start:\n${logs.join("\n")}`, { cause: error });
  }
}

async function whenReady<T>(url: string, then: () => Promise<T>): Promise<T> {
  const hub = connectToHub(url);
  const deadline = performance.now() + 30_000;
  while (!(await hub.isReady())) {
    if (performance.now() > deadline) throw new Error(`${url} was not ready in time`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return then();
}

/** Each host's directory is made by the script that the documents name. */
async function makeDevices(directory: string, count: number): Promise<DemoDevice[]> {
  const devices = Array.from({ length: count }, (_, index) => {
    const id = `node-${index + 1}`;
    const base = 21_000 + Math.floor(Math.random() * 4_000) * 2 + index * 10_000;
    const modelsDir = join(directory, id, "opt/context-edge/models");
    return { id, group: "line", modelsDir, statusPort: base, inferencePort: base + 1 };
  });
  const taken = await findTakenPort(devices.flatMap(({ statusPort, inferencePort }) => [statusPort, inferencePort]));
  if (taken !== undefined) return makeDevices(directory, count);
  for (const { id } of devices) {
    const prepared = await execute("sh", [PREPARE_NODE, join(directory, id)]);
    if (prepared.exitCode !== 0) throw new Error(prepared.stderr);
  }
  return devices;
}
