// What this device is: processor, module, L4T, TensorRT and power mode, each only as far as the machine itself says so.
import { access, readFile } from "node:fs/promises";
import { arch, hostname, totalmem } from "node:os";
import { join } from "node:path";
import type { Inventory } from "@context-edge/protocol";
import {
  jetPackOf,
  l4tFromPackage,
  l4tFromRelease,
  powerModeFrom,
  smOf,
  tensorRtFromPackage,
} from "../../core/platform.ts";
import { isProgram } from "../program.ts";
import { runCommand } from "../run-command.ts";

export const AGENT_VERSION = "0.1.0";

export interface InventoryOptions {
  /** The operator's word on the inference container; it outranks the host's packages. */
  tensorrt?: string | undefined;
  /** The program that builds engines here, if it is there; null where none may be built. */
  builder?: string | null;
  /** `/`; in a container, which is shown no device tree, a directory with the host's; or the tree of a test. */
  root?: string;
  /** Prints of a program, null when it failed or is not there; a test brings its own. */
  run?: (argv: readonly string[]) => Promise<string | null>;
}

const DEADLINE_MS = 5_000;
/** Statements with build recipes. */
const NEWEST_STATEMENTS = 2;

/** Nothing is started on a machine that is no Jetson. */
export async function takeInventory(options: InventoryOptions = {}): Promise<Inventory> {
  const { tensorrt, builder = null, root = "/", run = output } = options;
  const [model, compatible, release, mode] = await Promise.all(
    ["proc/device-tree/model", "proc/device-tree/compatible", "etc/nv_tegra_release", "var/lib/nvpmodel/status"].map(
      (path) => readText(join(root, path)),
    ),
  );
  const sm = smOf(compatible ?? "");
  const isJetson = sm !== undefined || (release ?? "") !== "";
  const l4t = l4tFromRelease(release ?? "") ?? (isJetson ? await l4tOfPackage(run) : undefined);
  const present = tensorrt ?? (isJetson ? await hostTensorRt(run) : undefined);
  const powerMode = isJetson ? await powerModeOf(root, mode, run) : undefined;
  return {
    agent_version: AGENT_VERSION,
    arch: arch() === "x64" ? "x86_64" : arch(),
    hostname: hostname(),
    ...stated("module", model?.slice(0, 128)),
    ...stated("sm", sm),
    ...stated("l4t", l4t),
    ...stated("jetpack", l4t === undefined ? undefined : jetPackOf(l4t)),
    ...stated("tensorrt", present),
    ...stated("power_mode", powerMode),
    memory_bytes: totalmem(),
    ...stated("engine_builder", builder !== null && (await isProgram(builder)) ? "trtexec" : undefined),
    statements: NEWEST_STATEMENTS,
  };
}

function stated<K extends keyof Inventory>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined || value === "" ? {} : ({ [key]: value } as Record<K, string>);
}

async function l4tOfPackage(run: NonNullable<InventoryOptions["run"]>): Promise<string | undefined> {
  return l4tFromPackage((await run(["dpkg-query", "-W", "-f=${Version}", "nvidia-l4t-core"])) ?? "");
}

async function hostTensorRt(run: NonNullable<InventoryOptions["run"]>): Promise<string | undefined> {
  for (const name of ["libnvinfer10", "libnvinfer8"]) {
    const version = tensorRtFromPackage((await run(["dpkg-query", "-W", "-f=${Version}", name])) ?? "");
    if (version !== undefined) return version;
  }
  return undefined;
}

/** The program knows the mode's name, the file only its number. */
async function powerModeOf(root: string, status: string | undefined, run: NonNullable<InventoryOptions["run"]>) {
  const number = /pmode:(\w+)/.exec(status ?? "")?.[1];
  const isThere = await access(join(root, "usr/sbin/nvpmodel")).then(
    () => true,
    () => false,
  );
  const named = isThere ? powerModeFrom((await run([join(root, "usr/sbin/nvpmodel"), "-q"])) ?? "") : undefined;
  return named ?? number;
}

async function output(argv: readonly string[]): Promise<string | null> {
  const signal = new AbortController().signal;
  const end = await runCommand(argv, { deadlineMs: DEADLINE_MS, environment: {}, signal });
  return end.exitCode === 0 ? end.stdout : null;
}

/** Device-tree strings end in NUL. */
async function readText(path: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text?.replaceAll("\0", " ").trim();
}
