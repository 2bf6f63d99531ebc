// The environment, parsed once, with the files it names; one clear line when something is wrong.
import { readFile } from "node:fs/promises";
import { DEFAULT_MODEL, type ModelName, type PublicKey } from "@context-edge/protocol";
import { loadPublicKey } from "./effects/keys.ts";
import { AgentError, describe } from "./errors.ts";
import { Settings } from "./settings.ts";

export interface Config extends Settings {
  hubKeys: readonly PublicKey[];
  releaseKeys: readonly PublicKey[];
  /** Null: the status page changes nothing. */
  pin: string | null;
}

/** @throws AgentError `CONFIG` with one line that names the variable. */
export async function loadConfig(environment: NodeJS.ProcessEnv): Promise<Config> {
  // An empty variable is one that was left empty in a unit file or a manifest, not a value.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = Settings.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw misconfigured(String(issue?.path[0] ?? "the environment"), issue?.message ?? "is not valid");
  }
  const settings = parsed.data;
  for (const [chosen, needed] of NEEDED) {
    const [choice, value] = chosen;
    if (settings[choice] === value && settings[needed] === undefined) {
      throw misconfigured(needed, `is needed when ${choice} is ${value}`);
    }
  }
  return {
    ...settings,
    hubKeys: await loadKeys("AGENT_HUB_KEYS", settings.AGENT_HUB_KEYS),
    releaseKeys: await loadKeys("AGENT_RELEASE_KEYS", settings.AGENT_RELEASE_KEYS),
    pin: settings.AGENT_PIN_FILE === undefined ? null : await loadPin(settings.AGENT_PIN_FILE),
  };
}

/** @returns the slot link's name of one model */
export function linkNameOf(settings: Settings, model: ModelName): string {
  const own = settings.AGENT_LINK_NAMES.find((entry) => entry.startsWith(`${model}=`));
  return own?.slice(model.length + 1) ?? settings.AGENT_LINK_NAME;
}

/** @returns the name under which the inference service knows one model */
export function servedNameOf(settings: Settings, model: ModelName): string {
  return model === DEFAULT_MODEL ? settings.AGENT_INFERENCE_MODEL : model;
}

/** @returns the program that may build engines here; null where the operator wants none built */
export function builderOf(settings: Settings): string | null {
  return settings.AGENT_BUILD_WHEN === "never" ? null : settings.AGENT_TRTEXEC;
}

const NEEDED = [
  [["AGENT_RELOADER", "command"], "AGENT_RELOAD_COMMAND"],
  [["AGENT_RELOADER", "kubernetes"], "AGENT_NODE_NAME"],
  [["AGENT_PROBE", "command"], "AGENT_PROBE_COMMAND"],
] as const;

async function loadPin(path: string): Promise<string> {
  const pin = await readFile(path, "utf8").catch((error: unknown) => {
    throw misconfigured("AGENT_PIN_FILE", `cannot be read: ${describe(error)}`);
  });
  if (!/^\S{4,32}$/.test(pin.trim())) throw misconfigured("AGENT_PIN_FILE", "must hold a PIN of 4 to 32 characters");
  return pin.trim();
}

async function loadKeys(variable: string, paths: readonly string[]): Promise<PublicKey[]> {
  if (paths.length === 0) throw misconfigured(variable, "must name at least one public key file (SPKI PEM)");
  const keys: PublicKey[] = [];
  for (const path of paths) {
    const pem = await readFile(path, "utf8").catch((error: unknown) => {
      throw misconfigured(variable, `cannot be read: ${describe(error)}`);
    });
    const key = loadPublicKey(pem);
    if (typeof key === "string") throw misconfigured(variable, `${path} is no usable Ed25519 public key (${key})`);
    keys.push(key);
  }
  return keys;
}

function misconfigured(variable: string, problem: string): AgentError {
  return new AgentError("CONFIG", `${variable}: ${problem}`, "See context-edge-agent --help for every setting.");
}
