// Runs the command line as a real process, against a real hub on a loopback port, with a home directory of its own.
import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { openTestHub, type TestHub } from "../../hub/testing/test-hub.ts";

// Every call is a process of its own, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

export const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves once stderr holds the text. */
  says(text: string): Promise<void>;
}

export interface Shell {
  dir: string;
  environment: Record<string, string>;
  run(args: readonly string[], more?: { stdin?: string; env?: Record<string, string> }): Promise<Ended>;
  start(args: readonly string[], env?: Record<string, string>): Running;
  /** Writes a file into the shell's directory. */
  file(name: string, content: string | Buffer): string;
  close(): void;
}

export function openShell(environment: Record<string, string> = {}): Shell {
  const dir = mkdtempSync(join(tmpdir(), "context-edge-cli-"));
  const { PATH = "", NODE_COMPILE_CACHE = "" } = process.env;
  const home = { HOME: dir, XDG_CONFIG_HOME: join(dir, "config") };
  const base = { PATH, NODE_COMPILE_CACHE, ...home, ...environment };
  const start: Shell["start"] = (args, env = {}) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...base, ...env }, stdio: "pipe" });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += String(chunk)));
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
    const says = (text: string) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (stderr.includes(text)) resolve();
        };
        look();
        child.stderr.on("data", look);
        child.once("close", () => reject(new Error(`it ended without saying "${text}": ${stdout}${stderr}`)));
      });
    return { child, ended, says };
  };
  return {
    dir,
    environment: base,
    start,
    run(args, { stdin = "", env } = {}) {
      const { child, ended } = start(args, env);
      child.stdin?.end(stdin);
      return ended;
    },
    file(name, content) {
      const path = join(dir, name);
      writeFileSync(path, content);
      return path;
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export interface Scene extends Omit<Shell, "close"> {
  close(): Promise<void>;
  hub: TestHub;
  url: string;
  releaseKeyFile: string;
  /** The words that publish a file as v3.0, signed. */
  publishing(file: string, ...more: string[]): string[];
}

/** A hub that listens, two versions, `d1` and `d2` in line-a and `d3` in line-b, all on v2.0. */
export async function openScene(hubEnv: Record<string, string> = {}): Promise<Scene> {
  const keys = generateKeyPairSync("ed25519");
  const shell = openShell();
  const releaseKeyFile = shell.file("release.key.pem", keys.privateKey.export({ type: "pkcs8", format: "pem" }));
  const publicFile = shell.file("release.pub.pem", keys.publicKey.export({ type: "spki", format: "pem" }));
  const hub = await openTestHub({ HUB_DEV_RELEASE_KEY_FILE: releaseKeyFile, HUB_RELEASE_KEYS: publicFile, ...hubEnv });
  const url = await hub.app.listen({ host: "127.0.0.1", port: 0 });
  shell.environment["CONTEXT_EDGE_URL"] = url;
  return {
    ...shell,
    hub,
    url,
    releaseKeyFile,
    publishing(file, ...more) {
      const said = ["--version", "v3.0", "--accuracy", "0.97", "--key", releaseKeyFile];
      return ["publish", file, ...said, ...more];
    },
    async close() {
      await hub.close();
      shell.close();
    },
  };
}

export async function openFleet() {
  const scene = await openScene();
  await scene.hub.register("v2.0", { signed: "nobody" });
  await scene.hub.register("v2.1", { signed: "nobody", accuracy: 0.95 });
  const d1 = await scene.hub.enroll("d1", "line-a");
  const d2 = await scene.hub.enroll("d2", "line-a");
  const d3 = await scene.hub.enroll("d3", "line-b");
  await scene.hub.call("POST", "/mlops/models/v2.0/deploy-all", { override: { reason: "first start" } });
  for (const device of [d1, d2, d3]) await device.report("v2.0", {});
  return { ...scene, d1, d2, d3 };
}
export type FleetScene = Awaited<ReturnType<typeof openFleet>>;

export const json = (ended: Ended): Record<string, unknown> => JSON.parse(ended.stdout) as Record<string, unknown>;
