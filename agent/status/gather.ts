// Gathers the parts of the diagnostics bundle from the disk and the kernel; what cannot be read says why, and never stops the rest.
import { readFile, statfs } from "node:fs/promises";
import { cpus, loadavg, machine, release, totalmem, type as kernel, uptime, version } from "node:os";
import { join } from "node:path";
import { DEFAULT_MODEL, type ModelName } from "@context-edge/protocol";
import { describe } from "../errors.ts";
import type { Config } from "../config.ts";
import type { DiagnosticsParts } from "./diagnostics.ts";
import type { StatusDocument } from "./document.ts";

export interface Gathering {
  config: Config;
  status: StatusDocument;
  /** Milliseconds since the epoch. */
  now: number;
  /** The agent's last log lines, if it keeps any. */
  log?: string | undefined;
}

/** A journal or a log longer than this is cut at its beginning; the end is what matters. */
const TEXT_LIMIT = 512 * 1_024;

export async function gatherDiagnostics({ config, status, now, log }: Gathering): Promise<DiagnosticsParts> {
  const modelsDir = config.AGENT_MODELS_DIR;
  const journals = await Promise.all(
    Object.keys(status.models).map(
      async (model) => [model, await textOf(ownPath(modelsDir, model, "journal.json"))] as const,
    ),
  );
  const builds = await Promise.all(
    Object.keys(status.models).map(
      async (model) => [model, await quietly(ownPath(modelsDir, model, "build.log"))] as const,
    ),
  );
  return {
    now,
    status,
    settings: config,
    journals: Object.fromEntries(journals),
    builds: Object.fromEntries(builds.filter(([, text]) => text !== "")),
    machine: {
      "mountinfo.txt": await textOf("/proc/self/mountinfo"),
      "df.txt": await diskFree(modelsDir),
      "uname.txt": machineWords(),
      "memory.txt": await textOf("/proc/meminfo"),
      "tegra-release.txt": await textOf(join(config.AGENT_HOST_ROOT, "etc/nv_tegra_release")),
    },
    ...(log === undefined ? {} : { log: log.slice(-TEXT_LIMIT) }),
    secrets: await knownSecrets(config),
  };
}

/** As `model-directory.ts` lays them out. The identity beside it, which holds the credential, is never opened for its text. */
function ownPath(modelsDir: string, model: ModelName, name: string): string {
  return join(modelsDir, model === DEFAULT_MODEL ? "" : model, ".agent", name);
}

async function textOf(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).slice(-TEXT_LIMIT);
  } catch (error) {
    return `could not be read: ${describe(error)}\n`;
  }
}

async function diskFree(path: string): Promise<string> {
  try {
    const { bsize, blocks, bfree, bavail, files, ffree, type } = await statfs(path);
    return `filesystem of ${path}
type 0x${type.toString(16)}
bytes: ${blocks * bsize} in all, ${bfree * bsize} free, ${bavail * bsize} free for the agent
inodes: ${files} in all, ${ffree} free
`;
  } catch (error) {
    return `could not be read: ${describe(error)}\n`;
  }
}

function machineWords(): string {
  return `${kernel()} ${release()} ${machine()}
${version()}
${cpus().length} cores, ${totalmem()} bytes of memory, up ${Math.round(uptime())} s, load ${loadavg().join(" ")}
Node ${process.version}
`;
}

/** Read for one purpose: to be found and taken out wherever a log or a message repeats them. */
async function knownSecrets(config: Config): Promise<string[]> {
  const token = config.AGENT_JOIN_TOKEN_FILE === undefined ? "" : await quietly(config.AGENT_JOIN_TOKEN_FILE);
  const identity = join(config.AGENT_MODELS_DIR, ".agent", "identity.json");
  const identities = await Promise.all([identity, `${identity}.previous`].map(quietly));
  const credentials = identities.map((text) => /"credential":\s*"([^"]+)"/.exec(text)?.[1] ?? "");
  // A short PIN is part of many harmless numbers, and nowhere written down by the agent; a long one can be looked for.
  const pin = config.pin !== null && config.pin.length >= 8 ? config.pin : "";
  return [token.trim(), ...credentials, pin].filter((secret) => secret !== "");
}

async function quietly(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
