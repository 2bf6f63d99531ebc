// A Docker of the test's own: its directory, socket and process belong to nobody else, and it changes no firewall rule of this machine.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { mkdir, readFile, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** Debian's client builds with BuildKit by itself; newer ones on the PATH may lack the plugin that they need for it. */
export const DOCKER = process.env["DOCKER"] ?? (existsSync("/usr/bin/docker") ? "/usr/bin/docker" : "docker");
const START_MS = 60_000;

export interface Said {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface Engine {
  /** For `DOCKER_HOST`. */
  host: string;
  stop(): Promise<void>;
}

/** Everything built once from nothing and twice more to compare takes less. */
const DISK_BYTES = 12_000_000_000;
/** What was built and is needed no more does not fill the disk, however often the test runs. */
const CONFIG = { builder: { gc: { enabled: true, defaultKeepStorage: "6GB" } } };

/** @returns why no engine can start in this directory, or null when one may */
export async function obstacle(directory: string): Promise<string | null> {
  if (process.getuid?.() !== 0) return "starting Docker needs root";
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < DISK_BYTES) return `${directory} has less than ${DISK_BYTES / 1e9} GB left`;
  const missing = ["/usr/sbin/dockerd", "/usr/sbin/debootstrap"].filter((program) => !existsSync(program));
  return missing.length === 0 ? null : `${missing.join(" and ")} missing (Debian's docker.io and debootstrap)`;
}

/** @param directory kept between runs, so that what is built once need not be built again */
export async function startEngine(directory: string): Promise<Engine | { why: string }> {
  await mkdir(directory, { recursive: true });
  const host = `unix://${join(directory, "socket")}`;
  const config = join(directory, "config.json");
  await writeFile(config, JSON.stringify(CONFIG));
  const log = openSync(join(directory, "log"), "w");
  const daemon = spawn(
    "/usr/sbin/dockerd",
    [
      ["--data-root", join(directory, "data"), "--exec-root", join(directory, "exec")],
      ["--config-file", config, "--pidfile", join(directory, "pid"), "--host", host],
      // Networks are made by the test; what would be routed or masked is not.
      ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false"],
    ].flat(),
    { stdio: ["ignore", log, log] },
  );
  const ended = once(daemon, "exit").catch(() => undefined);
  const stop = async () => {
    daemon.kill("SIGTERM");
    await Promise.race([ended, wait(30_000, undefined, { ref: false }).then(() => daemon.kill("SIGKILL"))]);
  };
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline && daemon.exitCode === null) {
    if ((await docker(host, "info")).exitCode === 0) return { host, stop };
    await wait(200);
  }
  await stop();
  const words = await readFile(join(directory, "log"), "utf8").catch(() => "");
  return { why: `dockerd does not start: ${words.trim().split("\n").slice(-3).join(" ")}` };
}

/** Never throws: a failure is part of what is tested. */
export function docker(host: string, ...argv: string[]): Promise<Said> {
  return execute(DOCKER, argv, { DOCKER_HOST: host });
}

export function execute(program: string, argv: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Said> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...more }, timeout: 600_000, maxBuffer: 64 * 1024 * 1024 };
    execFile(program, argv, options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ exitCode, stdout, stderr });
    });
  });
}
