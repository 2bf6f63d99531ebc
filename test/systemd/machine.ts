// A small Debian in a directory, booted by systemd-nspawn with this repository mounted where the units expect it.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export interface Machine {
  /** Path of a file of the machine as this process reaches it. */
  path(inside: string): string;
  /** Runs a program inside, without a shell. Never throws: a failure is part of what is tested. */
  run(...argv: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  halt(): Promise<void>;
  /** As if the power went: no process learns of it. */
  cutPower(): Promise<void>;
}

const APP = fileURLToPath(new URL("../..", import.meta.url));
/** The number goes up with the packages: a directory of this name holds them all. */
const ROOTFS = process.env["CONTEXT_EDGE_ROOTFS"] ?? join(tmpdir(), "context-edge-rootfs-bookworm-2");
/** systemd and a bus to talk to it, what rules on it, what the pages under docs/ call, and two libraries of Node's. */
const PACKAGES = "systemd,systemd-sysv,dbus,libpam-systemd,polkitd,curl,openssl,libstdc++6,libatomic1";
const BOOT_MS = 60_000;

/** @returns why no machine can be booted here, or null when one can */
export function obstacle(): string | null {
  if (process.getuid?.() !== 0) return "booting a machine needs root";
  if (!onPath("systemd-nspawn")) return "systemd-nspawn is missing (Debian's package systemd-container)";
  if (existsSync(ROOTFS)) return null;
  return onPath("debootstrap") ? null : "debootstrap is missing, and no root directory is at CONTEXT_EDGE_ROOTFS";
}

/** Made once per host, in about a minute. @returns why it could not be made, or null */
export async function makeRootfs(): Promise<string | null> {
  if (existsSync(ROOTFS)) return null;
  const making = `${ROOTFS}.making`;
  try {
    await rm(making, { recursive: true, force: true });
    await mkdir(making);
  } catch (error) {
    return `${making} cannot be made: ${String(error)}`;
  }
  const made = await execute("debootstrap", ["--variant=minbase", `--include=${PACKAGES}`, "bookworm", making]);
  if (made.exitCode !== 0) return `debootstrap failed: ${made.stderr.slice(-500) || made.stdout.slice(-500)}`;
  // A directory of this name is always whole.
  await rename(making, ROOTFS);
  return null;
}

/** A disk of the machine's own, for what must outlast a boot. */
export async function makeDisk(): Promise<string> {
  // Beside the root directory, where copying may be free.
  const disk = await mkdtemp(`${ROOTFS}.disk-`);
  const copied = await execute("cp", ["-a", "--reflink=auto", `${ROOTFS}/.`, disk]);
  if (copied.exitCode !== 0) throw new Error(`the disk could not be made: ${copied.stderr}`);
  return disk;
}

/**
 * @param disk keeps what is written; without one everything is forgotten, so that each boot is the first
 * @throws when the machine does not come up, with what it said
 */
export async function boot(disk?: string): Promise<Machine> {
  const argv = [
    "--quiet",
    ...(disk === undefined ? [`--directory=${ROOTFS}`, "--volatile=overlay"] : [`--directory=${disk}`]),
    "--register=no",
    "--keep-unit",
    "--private-network",
    "--console=pipe",
    "--kill-signal=SIGRTMIN+3",
    `--bind-ro=${APP}:/opt/context-edge/app`,
    "--boot",
  ];
  const nspawn = spawn("systemd-nspawn", argv, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(nspawn, "exit");
  let said = "";
  for (const stream of [nspawn.stdout, nspawn.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  try {
    const leader = await leaderOf(nspawn, () => said);
    const machine = machineOf(leader, {
      async halt() {
        nspawn.kill("SIGTERM");
        await Promise.race([ended, delay(20_000, undefined, { ref: false })]);
        nspawn.kill("SIGKILL");
      },
      async cutPower() {
        // With the first process of a namespace the kernel kills every other.
        process.kill(leader, "SIGKILL");
        await ended;
      },
    });
    await untilUp(machine, () => said);
    return machine;
  } catch (error) {
    nspawn.kill("SIGKILL");
    throw error;
  }
}

function machineOf(leader: number, ends: Pick<Machine, "halt" | "cutPower">): Machine {
  const enter = ["--target", String(leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--"];
  return {
    path: (inside) => join(`/proc/${leader}/root`, inside),
    run: (...argv) => execute("nsenter", [...enter, ...argv]),
    ...ends,
  };
}

/** nspawn's only child is the machine's first process. */
async function leaderOf(nspawn: ChildProcess, said: () => string): Promise<number> {
  const deadline = performance.now() + BOOT_MS;
  while (performance.now() < deadline && nspawn.exitCode === null) {
    const children = await readFile(`/proc/${nspawn.pid}/task/${nspawn.pid}/children`, "utf8").catch(() => "");
    const [child] = children.trim().split(" ").map(Number);
    const name = child ? await readFile(`/proc/${child}/comm`, "utf8").catch(() => "") : "";
    if (child && name.trim() === "systemd") return child;
    await delay(100);
  }
  throw new Error(`the machine did not start: ${said().slice(-2_000)}`);
}

async function untilUp(machine: Machine, said: () => string): Promise<void> {
  const deadline = performance.now() + BOOT_MS;
  let state = "";
  while (performance.now() < deadline) {
    state = (await machine.run("systemctl", "is-system-running")).stdout.trim();
    if (state === "running" || state === "degraded") return;
    await delay(200);
  }
  throw new Error(`the machine did not come up (${state}): ${said().slice(-2_000)}`);
}

function execute(program: string, argv: readonly string[]): ReturnType<Machine["run"]> {
  return new Promise((resolve) => {
    execFile(program, argv, { timeout: 300_000, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ exitCode, stdout, stderr });
    });
  });
}

function onPath(program: string): boolean {
  return ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].some((directory) => existsSync(join(directory, program)));
}

/** Writes a file of the machine, its directory included. */
export async function put(machine: Machine, inside: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(join(machine.path(inside), ".."), { recursive: true });
  await writeFile(machine.path(inside), content, { mode });
}
