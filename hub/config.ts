// The hub's settings, from the environment, parsed once at the door.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { GroupName, ProbePolicy } from "@context-edge/protocol";
import { z } from "zod";

const seconds = (fallback: number) => z.coerce.number().min(0).default(fallback);
const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );
const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
});

const DASHBOARD = resolve(dirname(fileURLToPath(import.meta.url)), "../dashboard/dist");

const Environment = z.object({
  HUB_HOST: z.string().default("127.0.0.1"),
  HUB_PORT: z.coerce.number().int().min(0).max(65_535).default(8000),
  HUB_DATA: z.string().default("./hub-data"),
  HUB_AUTH: z.enum(["none", "token"]).default("none"),
  HUB_API_TOKEN_FILE: z.string().optional(),
  HUB_JOIN_TOKEN_FILE: z.string().optional(),
  HUB_SIGNING_KEY_FILE: z.string().optional(),
  HUB_RELEASE_KEYS: list,
  HUB_DEV_RELEASE_KEY_FILE: z.string().optional(),
  HUB_GATE_SOAK_SECONDS: seconds(86_400),
  HUB_PROBE_POLICY: json.pipe(z.record(z.string(), z.unknown())).default({}),
  HUB_DASHBOARD_DIR: z.string().default(DASHBOARD),
  HUB_OFFLINE_AFTER_SECONDS: seconds(90),
  HUB_PILOT_GROUP: GroupName.default("pilot"),
  HUB_MANIFEST_HOURS: z.coerce.number().positive().default(168),
  HUB_MAX_ARTIFACT_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(16 * 2 ** 30),
  HUB_LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  S3_ENDPOINT: z.url().optional(),
  S3_REGION: z.string().default("us-east-1"),
  S3_BUCKETS: list,
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  S3_FORCE_PATH_STYLE: z.stringbool().default(true),
  DATABASE_URL: z.string().optional(),
});

export interface S3Config {
  endpoint: string | undefined;
  region: string;
  /** The first one also receives uploads. */
  buckets: readonly string[];
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  forcePathStyle: boolean;
}

export interface HubConfig {
  host: string;
  port: number;
  dataDir: string;
  auth: { kind: "none" } | { kind: "token"; token: string };
  joinToken: string | undefined;
  signingKeyFile: string;
  releaseKeyFiles: readonly string[];
  devReleaseKeyFile: string | undefined;
  gateSoakSeconds: number;
  probePolicy: ProbePolicy;
  dashboardDir: string;
  offlineAfterMs: number;
  pilotGroup: string;
  manifestLifetimeMs: number;
  maxArtifactBytes: number;
  logLevel: z.infer<typeof Environment>["HUB_LOG_LEVEL"];
  s3: S3Config | undefined;
}

export type Configured = { ok: true; config: HubConfig } | { ok: false; reason: string };

/** @returns the settings, or one line that says which of them is wrong and what to do. */
export function readConfig(environment: NodeJS.ProcessEnv): Configured {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { ok: false, reason: `${issue?.path.join(".") ?? "environment"}: ${issue?.message ?? "is wrong"}` };
  }
  const env = parsed.data;
  const refuse = (reason: string): Configured => ({ ok: false, reason });
  if (env.DATABASE_URL !== undefined)
    return refuse("DATABASE_URL: this release keeps its data in SQLite only; unset it");
  if (env.HUB_AUTH === "none" && !isLoopback(env.HUB_HOST)) {
    return refuse(`HUB_AUTH=none is for loopback addresses only, not ${env.HUB_HOST}; set HUB_AUTH=token`);
  }
  if (env.HUB_DEV_RELEASE_KEY_FILE !== undefined && !isLoopback(env.HUB_HOST)) {
    return refuse(
      "HUB_DEV_RELEASE_KEY_FILE is for a laptop: a hub that others can reach must not hold the release key",
    );
  }
  const policy = ProbePolicy.safeParse(env.HUB_PROBE_POLICY);
  if (!policy.success) return refuse(`HUB_PROBE_POLICY: ${z.prettifyError(policy.error)}`);
  const token = readSecret(env.HUB_API_TOKEN_FILE);
  if (env.HUB_AUTH === "token" && (token === undefined || token.length < 16)) {
    return refuse("HUB_AUTH=token needs HUB_API_TOKEN_FILE, a file with a token of at least 16 characters");
  }
  const dataDir = resolve(env.HUB_DATA);
  return {
    ok: true,
    config: {
      host: env.HUB_HOST,
      port: env.HUB_PORT,
      dataDir,
      auth: env.HUB_AUTH === "token" ? { kind: "token", token: token ?? "" } : { kind: "none" },
      joinToken: readSecret(env.HUB_JOIN_TOKEN_FILE),
      signingKeyFile: env.HUB_SIGNING_KEY_FILE ?? resolve(dataDir, "keys/hub.key.pem"),
      releaseKeyFiles: env.HUB_RELEASE_KEYS,
      devReleaseKeyFile: env.HUB_DEV_RELEASE_KEY_FILE,
      gateSoakSeconds: env.HUB_GATE_SOAK_SECONDS,
      probePolicy: policy.data,
      dashboardDir: resolve(env.HUB_DASHBOARD_DIR),
      offlineAfterMs: env.HUB_OFFLINE_AFTER_SECONDS * 1_000,
      pilotGroup: env.HUB_PILOT_GROUP,
      manifestLifetimeMs: env.HUB_MANIFEST_HOURS * 3_600_000,
      maxArtifactBytes: env.HUB_MAX_ARTIFACT_BYTES,
      logLevel: env.HUB_LOG_LEVEL,
      s3: s3Config(env),
    },
  };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function s3Config(env: z.infer<typeof Environment>): S3Config | undefined {
  if (env.S3_BUCKETS.length === 0) return undefined;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = env;
  return {
    endpoint: env.S3_ENDPOINT,
    region: env.S3_REGION,
    buckets: env.S3_BUCKETS,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
    forcePathStyle: env.S3_FORCE_PATH_STYLE,
  };
}

function readSecret(file: string | undefined): string | undefined {
  return file === undefined ? undefined : readFileSync(file, "utf8").trim();
}
