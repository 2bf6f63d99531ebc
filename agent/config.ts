// The environment, parsed once: every setting of the agent with its default, and one clear line when something is wrong.
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { DeviceId, GroupName, type PublicKey } from "@context-edge/protocol";
import { z } from "zod";
import { loadPublicKey } from "./effects/keys.ts";
import { AgentError, describe } from "./errors.ts";

const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );
const argv = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({
        code: "custom",
        message: 'must be a JSON list of words, e.g. ["systemctl","restart","inference"]',
      });
      return z.NEVER;
    }
  })
  .pipe(z.array(z.string()).min(1));
const count = (fallback: number, max: number) => z.coerce.number().int().min(0).max(max).default(fallback);

const Environment = z.object({
  AGENT_DEVICE_ID: DeviceId.default(() => hostname()),
  AGENT_MODELS_DIR: z.string().min(1).default("/opt/context-edge/models"),
  AGENT_HUB_URL: z.url({ protocol: /^https?$/, error: "must be the hub's address, such as https://hub.example:8000" }),
  AGENT_JOIN_TOKEN_FILE: z.string().optional(),
  AGENT_GROUP: GroupName.optional(),
  AGENT_HUB_KEYS: list,
  AGENT_RELEASE_KEYS: list,
  AGENT_ARTIFACT_ORIGINS: list.pipe(z.array(z.url({ protocol: /^https?$/ }))),
  AGENT_LINK_NAME: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/, "must be a plain file name")
    .default("current.trt"),
  AGENT_RELOADER: z.enum(["command", "triton", "systemd-path", "none"]).default("none"),
  AGENT_RELOAD_COMMAND: argv.optional(),
  AGENT_REQUEST_DIR: z.string().default("/run/context-edge/requests"),
  AGENT_PROBE: z.enum(["oip", "command", "none"]).default("none"),
  AGENT_PROBE_COMMAND: argv.optional(),
  AGENT_INFERENCE_URL: z.url({ protocol: /^https?$/ }).default("http://127.0.0.1:8000"),
  AGENT_INFERENCE_MODEL: z.string().min(1).default("default"),
  AGENT_STATUS_HOST: z.string().default("127.0.0.1"),
  AGENT_STATUS_PORT: count(9090, 65_535),
  AGENT_STATUS_URL: z.url().max(500).optional(),
  AGENT_POLL_WAIT_SECONDS: count(25, 300),
  AGENT_POLL_MIN_MS: count(1_000, 3_600_000),
  AGENT_POLL_MAX_MS: count(300_000, 86_400_000),
  AGENT_HEARTBEAT_MS: z.coerce.number().int().min(250).max(3_600_000).default(15_000),
  AGENT_LOG_LEVEL: z.enum(["silent", "error", "warn", "info", "debug"]).default("info"),
});

export interface Config extends z.infer<typeof Environment> {
  hubKeys: readonly PublicKey[];
  releaseKeys: readonly PublicKey[];
}

/** @throws AgentError `CONFIG` with one line that names the variable. */
export async function loadConfig(environment: NodeJS.ProcessEnv): Promise<Config> {
  // An empty variable is one that was left empty in a unit file or a manifest, not a value.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw misconfigured(String(issue?.path[0] ?? "the environment"), issue?.message ?? "is not valid");
  }
  const settings = parsed.data;
  if (settings.AGENT_RELOADER === "command" && !settings.AGENT_RELOAD_COMMAND) {
    throw misconfigured("AGENT_RELOAD_COMMAND", "is needed when AGENT_RELOADER is command");
  }
  if (settings.AGENT_PROBE === "command" && !settings.AGENT_PROBE_COMMAND) {
    throw misconfigured("AGENT_PROBE_COMMAND", "is needed when AGENT_PROBE is command");
  }
  return {
    ...settings,
    hubKeys: await loadKeys("AGENT_HUB_KEYS", settings.AGENT_HUB_KEYS),
    releaseKeys: await loadKeys("AGENT_RELEASE_KEYS", settings.AGENT_RELEASE_KEYS),
  };
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
  return new AgentError("CONFIG", `${variable}: ${problem}`, "See node agent/main.ts --help for every setting.");
}
