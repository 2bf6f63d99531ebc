// The processes of one demo: a hub, one process with every inference service, and one agent per device.
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import type { ProbePolicy } from "@context-edge/protocol";
import type { DemoKeys } from "./keys.ts";
import { LINK_NAME, type DemoDevice, type Layout } from "./layout.ts";
import type { Children } from "./processes.ts";

/**
 * Shorter than on a factory floor, so that a newcomer sees a whole rollout in under half a minute. The floor is wider than
 * the default 2 ms because every "Jetson" shares this machine's few cores; v2.2 is many times over it all the same.
 */
const DEMO_PROBE_POLICY: Partial<ProbePolicy> = {
  warmup_ms: 1_000,
  window_ms: 8_000,
  pace_ms: 15,
  baseline_floor_ms: 60,
  soak_ms: 5_000,
  cold_start_ms: 30_000,
};

export function startHub(
  children: Children,
  layout: Layout,
  keys: DemoKeys,
  settings: { port: number; soakSeconds: number; offlineAfterSeconds?: number; probe?: Partial<ProbePolicy> },
): void {
  const { port, soakSeconds, offlineAfterSeconds = 40, probe = {} } = settings;
  children.start({
    name: "hub",
    entry: "hub/main.ts",
    env: {
      HUB_HOST: "127.0.0.1",
      HUB_PORT: String(port),
      HUB_DATA: layout.hubDir,
      HUB_AUTH: "none",
      HUB_SIGNING_KEY_FILE: keys.hubKeyFile,
      HUB_RELEASE_KEYS: keys.releasePublicFile,
      HUB_DEV_RELEASE_KEY_FILE: keys.releaseKeyFile,
      HUB_JOIN_TOKEN_FILE: keys.joinTokenFile,
      HUB_GATE_SOAK_SECONDS: String(soakSeconds),
      HUB_PROBE_POLICY: JSON.stringify({ ...DEMO_PROBE_POLICY, ...probe }),
      HUB_OFFLINE_AFTER_SECONDS: String(offlineAfterSeconds),
      // A hub of yours would not serve the damaged v2.4 at all; here it does, so that the devices' own check can be seen.
      HUB_REHASH_ARTIFACTS: "false",
    },
  });
}

/** Resolves when every service listens; those with a model on disk serve it by then. */
export async function startInference(children: Children, devices: readonly DemoDevice[]): Promise<void> {
  const services = devices.map(({ modelsDir, inferencePort }) => {
    mkdirSync(modelsDir, { recursive: true });
    return { modelsDir, linkName: LINK_NAME, port: inferencePort };
  });
  const child = children.start({
    name: "inference",
    entry: "demo/inference/main.ts",
    args: [JSON.stringify(services)],
  });
  await once(child, "message", { signal: AbortSignal.timeout(60_000) });
}

export function startAgent(children: Children, layout: Layout, keys: DemoKeys, device: DemoDevice): void {
  children.start({
    name: device.id,
    entry: "agent/main.ts",
    args: ["run"],
    env: {
      AGENT_DEVICE_ID: device.id,
      AGENT_GROUP: device.group,
      AGENT_MODELS_DIR: device.modelsDir,
      AGENT_HUB_URL: layout.hubUrl,
      AGENT_JOIN_TOKEN_FILE: keys.joinTokenFile,
      AGENT_HUB_KEYS: keys.hubPublicFile,
      AGENT_RELEASE_KEYS: keys.releasePublicFile,
      AGENT_LINK_NAME: LINK_NAME,
      AGENT_RELOADER: "triton",
      AGENT_PROBE: "oip",
      AGENT_INFERENCE_URL: `http://127.0.0.1:${device.inferencePort}`,
      AGENT_STATUS_PORT: String(device.statusPort),
      AGENT_PIN_FILE: keys.pinFile,
      // A laptop's disk may be nearly full, and a test's may be in memory.
      AGENT_DISK_RESERVE: "16MB",
      AGENT_ALLOW_FILESYSTEMS: "tmpfs,overlay",
      AGENT_STATUS_URL: `http://127.0.0.1:${device.statusPort}/`,
    },
  });
}
