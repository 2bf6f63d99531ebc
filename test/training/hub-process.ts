// A hub with accounts as a process of its own, a release key it knows, and tokens: what a training job meets in real life.
import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@context-edge/agent/testing/test-device.ts";
import type { TokenScope, Version } from "@context-edge/protocol";
import { execute, ROOT } from "./python.ts";

export interface HubProcess {
  url: string;
  dir: string;
  releaseKeyFile: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Works whether the hub runs or not. */
  token(scope: TokenScope): Promise<string>;
  /** As an admin. */
  call(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }>;
  versions(model: string): Promise<Version[]>;
  close(): Promise<void>;
}

/** Not started yet. */
export async function layOutHub(more: Record<string, string> = {}): Promise<HubProcess> {
  const dir = mkdtempSync(join(tmpdir(), "context-edge-training-"));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const releaseKeyFile = join(dir, "release.key.pem");
  writeFileSync(releaseKeyFile, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  writeFileSync(join(dir, "release.pub.pem"), publicKey.export({ type: "spki", format: "pem" }));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    HUB_PORT: String(port),
    HUB_DATA: join(dir, "hub"),
    HUB_AUTH: "accounts",
    HUB_RELEASE_KEYS: join(dir, "release.pub.pem"),
    HUB_DASHBOARD_DIR: join(dir, "no-dashboard"),
    HUB_LOG_LEVEL: "warn",
    ...more,
  };
  let child: ChildProcess | undefined;
  let tokens = 0;
  let adminToken: string | undefined;

  const hub: HubProcess = {
    url,
    dir,
    releaseKeyFile,
    async start() {
      child = spawn(process.execPath, ["hub/main.ts"], { cwd: ROOT, env: { ...process.env, ...env }, stdio: "ignore" });
      const isReady = () =>
        fetch(`${url}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        );
      await eventually("the hub is ready", isReady, 60_000);
    },
    async stop() {
      if (!child || child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
    async token(scope) {
      tokens += 1;
      const made = await execute(
        process.execPath,
        ["hub/main.ts", "token", "create", `t${tokens}`, "--scope", scope],
        env,
      );
      const secret = /cet_\S+/.exec(made.stdout)?.[0];
      if (secret === undefined) throw new Error(`no token was made: ${made.stdout}${made.stderr}`);
      return secret;
    },
    async call(method, path, body) {
      adminToken ??= await hub.token("admin");
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${adminToken}`, ...(body ? { "content-type": "application/json" } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      return { status: response.status, body: await response.json() };
    },
    async versions(model) {
      const { body } = await hub.call("GET", `/api/v1/models/${model}/versions`);
      return (body as { items: Version[] }).items;
    },
    async close() {
      await hub.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return hub;
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  return typeof address === "object" && address ? address.port : 0;
}
