// A hub and an inference service inside the machine, as their pages and units have it, and what is asked of them from there.
import type { Device } from "@context-edge/protocol";
import { type Machine, put } from "./machine.ts";
import { stepsOf } from "./steps.ts";

const APP = "/opt/context-edge/app";
const NODE = `${APP}/node_modules/.bin/node`;
/** Short, so that a rollout takes seconds; the soak is long enough to cut the power in. */
const POLICY = {
  warmup_requests: 5,
  warmup_ms: 100,
  samples: 30,
  window_ms: 3_000,
  pace_ms: 10,
  baseline_floor_ms: 200,
  cold_start_ms: 30_000,
  soak_ms: 4_000,
};
const SERVICES = [{ modelsDir: "/opt/context-edge/models", linkName: "current.trt", port: 8001 }];
const INFERENCE = `#!/bin/sh\nexec ${NODE} ${APP}/demo/inference/main.ts '${JSON.stringify(SERVICES)}'\n`;
/** The sample unit as it is shipped, but for what it runs and the groups of a GPU. */
const DROP_IN = "[Service]\nExecStart=\nExecStart=/usr/local/bin/inference\nSupplementaryGroups=\n";

export interface FleetInside {
  /** Runs a script of a page: with `sh -e`, as root, who needs no sudo. Throws when it fails. */
  readonly paste: (script: string, directory?: string) => Promise<string>;
  /** Training's part: uploads, signs and registers one of the demo's versions. */
  readonly publish: (version: string) => Promise<void>;
  /** An engineer's part: onto every group, now. */
  readonly deploy: (version: string) => Promise<void>;
  readonly device: () => Promise<Device>;
}

export function fleetInside(machine: () => Machine): FleetInside {
  const paste: FleetInside["paste"] = async (script, directory = "/root") => {
    const plain = script.replace(/\bsudo /g, "");
    const ended = await machine().run("sh", "-c", `cd ${directory}\nset -e\n${plain}`);
    if (ended.exitCode !== 0)
      throw new Error(`"${script}" ended with ${ended.exitCode}: ${ended.stdout}${ended.stderr}`);
    return ended.stdout;
  };
  const cli = (words: string) =>
    paste(
      `CONTEXT_EDGE_URL=http://127.0.0.1:8000 CONTEXT_EDGE_TOKEN=$(cat /root/api-token) ${NODE} ${APP}/cli/main.ts ${words}`,
    );
  return {
    paste,
    async publish(version) {
      const at = `${APP}/demo/models/${version}`;
      const files = `--metrics ${at}/metrics.json --golden ${at}/golden.json --key /root/release.key.pem`;
      await cli(`publish ${at}/model.onnx --version ${version} ${files}`);
    },
    deploy: async (version) => void (await cli(`deploy --all --version ${version} --override "a test of the units"`)),
    async device() {
      const answer = await paste(
        'curl -fsS -H "authorization: Bearer $(cat /root/api-token)" http://127.0.0.1:8000/api/v1/devices/edge-001',
      );
      return JSON.parse(answer) as Device;
    },
  };
}

/** The hub by the steps of docs/operations.md, with the settings that its reader is told to set. */
export async function installHub(machine: Machine, { paste }: FleetInside): Promise<void> {
  await paste(`openssl genpkey -algorithm ed25519 -out release.key.pem
openssl pkey -in release.key.pem -pubout -out release.pub.pem
install -D -m 644 release.pub.pem /etc/context-edge/hub/release.pub.pem`);
  const [install = ""] = stepsOf("operations.md", "The hub");
  const settings = `cat >> /etc/context-edge/hub.env <<'END'
HUB_RELEASE_KEYS=/etc/context-edge/hub/release.pub.pem
HUB_PROBE_POLICY=${JSON.stringify(POLICY)}
HUB_GATE_SOAK_SECONDS=1
END
`;
  // Read and set, as the line says, before the service starts.
  await paste(install.replace(/^(install .*hub\.env\b.*)$/m, (line) => `${line}\n${settings}`));
  await paste("(umask 077; context-edge-hub token create tests --scope admin > /root/api-token)");
  await put(machine, "/usr/local/bin/inference", INFERENCE, 0o755);
  await put(machine, "/etc/systemd/system/context-edge-inference.service.d/test.conf", DROP_IN);
}
