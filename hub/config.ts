// The hub's settings, from the environment, parsed once at the door.
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { GroupName, ProbePolicy, type Resolution } from "@context-edge/protocol";
import { z } from "zod";
import { AUTH_ENVIRONMENT, type AuthConfig, isLoopback, readAuth, readSecret } from "./auth/auth-config.ts";
import { CLUSTER_ENVIRONMENT, type ClusterConfig, readCluster } from "./cluster/cluster-config.ts";
import type { Limit } from "./core/quarantine.ts";

const seconds = (fallback: number) => z.coerce.number().min(0).default(fallback);
const count = (fallback: number) => z.coerce.number().int().positive().max(100_000).default(fallback);
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

/** `2`, or `10%` of the devices that tried. */
const quarantineLimit = z
  .string()
  .regex(/^\d+%?$/, "is a number of devices, such as 2, or a share of those that tried, such as 10%")
  .transform((text) => (text.endsWith("%") ? { share: Number.parseInt(text, 10) / 100 } : { count: Number(text) }))
  .refine((limit) => ("count" in limit ? limit.count > 0 : limit.share > 0 && limit.share <= 1), "must be above zero");

/** Longer than a balancer's few looks at /readyz. */
const USUAL_DRAIN_SECONDS = 5;
const DASHBOARD = resolve(dirname(fileURLToPath(import.meta.url)), "../dashboard/dist");

const Environment = z.object({
  HUB_HOST: z.string().default("127.0.0.1"),
  HUB_PORT: z.coerce.number().int().min(0).max(65_535).default(8000),
  HUB_DATA: z.string().default("./hub-data"),
  ...AUTH_ENVIRONMENT,
  ...CLUSTER_ENVIRONMENT,
  HUB_JOIN_TOKEN_FILE: z.string().optional(),
  HUB_SIGNING_KEY_FILE: z.string().optional(),
  HUB_PREVIOUS_SIGNING_KEY_FILE: z.string().optional(),
  HUB_RELEASE_KEYS: list,
  HUB_DEV_RELEASE_KEY_FILE: z.string().optional(),
  HUB_GATE_SOAK_SECONDS: seconds(86_400),
  HUB_QUARANTINE_AFTER: quarantineLimit.default({ count: 2 }),
  HUB_PROBE_POLICY: json.pipe(z.record(z.string(), z.unknown())).default({}),
  HUB_DASHBOARD_DIR: z.string().default(DASHBOARD),
  HUB_OFFLINE_AFTER_SECONDS: seconds(90),
  HUB_PILOT_GROUP: GroupName.default("pilot"),
  HUB_MANIFEST_HOURS: z.coerce.number().positive().default(168),
  HUB_REHASH_ARTIFACTS: z.stringbool().default(true),
  HUB_MAX_ARTIFACT_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(16 * 2 ** 30),
  HUB_LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  HUB_KEEP_MINUTES: count(1_440),
  HUB_KEEP_HOURS: count(720),
  HUB_KEEP_DAYS: count(400),
  HUB_KEEP_LABELS_DAYS: count(400),
  HUB_KEEP_OUTCOMES_DAYS: count(365),
  HUB_KEEP_UNUSED_DAYS: z.coerce.number().min(0).default(7),
  HUB_DEAD_AFTER_DAYS: z.coerce.number().positive().default(90),
  HUB_HEARTBEAT_WRITE_SECONDS: seconds(86_400),
  S3_ENDPOINT: z.url().optional(),
  S3_REGION: z.string().default("us-east-1"),
  S3_BUCKETS: list,
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  S3_FORCE_PATH_STYLE: z.stringbool().default(true),
  HUB_S3_CHECKSUMS: z.enum(["when-required", "when-supported"]).default("when-required"),
  DATABASE_URL: z.string().optional(),
  HUB_TELL_OFFLINE_SECONDS: seconds(1_800),
  HUB_WEBHOOK_LOOPBACK: z.stringbool().optional(),
  HUB_SHUTDOWN_SECONDS: seconds(15),
  HUB_DRAIN_SECONDS: z.coerce.number().min(0).optional(),
});

export interface S3Config {
  endpoint: string | undefined;
  region: string;
  /** The first one also receives uploads. */
  buckets: readonly string[];
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  forcePathStyle: boolean;
  /** Whether requests carry checksums that older stores do not know. */
  checksums: "when-required" | "when-supported";
}

/** How long what grows is kept. */
export interface Keep {
  /** Points of each resolution, per series. */
  points: Record<Resolution, number>;
  labelsDays: number;
  outcomesDays: number;
  deadAfterDays: number;
  /** Files that nothing refers to; 0: for ever. */
  unusedDays: number;
}

export interface HubConfig {
  host: string;
  port: number;
  dataDir: string;
  auth: AuthConfig;
  sessionIdleMs: number;
  /** Whose X-Forwarded-For is believed: addresses and ranges. */
  trustedProxies: readonly string[];
  /** Where browsers reach this hub, when that is not where it listens. */
  publicUrl: string | undefined;
  joinToken: string | undefined;
  signingKeyFile: string;
  previousSigningKeyFile: string | undefined;
  releaseKeyFiles: readonly string[];
  devReleaseKeyFile: string | undefined;
  gateSoakSeconds: number;
  quarantineAfter: Limit;
  probePolicy: ProbePolicy;
  dashboardDir: string;
  offlineAfterMs: number;
  pilotGroup: string;
  manifestLifetimeMs: number;
  maxArtifactBytes: number;
  /** Directory only: files are hashed again before they are served. */
  rehashArtifacts: boolean;
  logLevel: z.infer<typeof Environment>["HUB_LOG_LEVEL"];
  s3: S3Config | undefined;
  webhooks: { offlineAfterSeconds: number; allowLoopback: boolean };
  /** Longest orderly end, and how long of it requests are still taken so that balancers learn of it. */
  shutdownMs: number;
  drainMs: number;
  databaseUrl: string | undefined;
  cluster: ClusterConfig;
  keep: Keep;
  /** A device that reports nothing new is written no more often than this; 0 where several hubs share a database. */
  heartbeatWriteMs: number;
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
  if (env.DATABASE_URL !== undefined && !/^postgres(ql)?:\/\//.test(env.DATABASE_URL))
    return refuse("DATABASE_URL must be postgres://…; unset it to keep the data in SQLite under HUB_DATA");
  if (env.HUB_AUTH === "none" && !isLoopback(env.HUB_HOST)) {
    return refuse(`HUB_AUTH=none is for loopback addresses only, not ${env.HUB_HOST}; set HUB_AUTH=accounts or token`);
  }
  if (env.HUB_DEV_RELEASE_KEY_FILE !== undefined && !isLoopback(env.HUB_HOST)) {
    return refuse(
      "HUB_DEV_RELEASE_KEY_FILE is for a laptop: a hub that others can reach must not hold the release key",
    );
  }
  // Nobody balances to a loopback address.
  const usualDrain = isLoopback(env.HUB_HOST) ? 0 : USUAL_DRAIN_SECONDS;
  const drainSeconds = env.HUB_DRAIN_SECONDS ?? Math.min(usualDrain, env.HUB_SHUTDOWN_SECONDS);
  if (drainSeconds > env.HUB_SHUTDOWN_SECONDS)
    return refuse("HUB_DRAIN_SECONDS is a part of HUB_SHUTDOWN_SECONDS and cannot be more");
  const policy = ProbePolicy.safeParse(env.HUB_PROBE_POLICY);
  if (!policy.success) return refuse(`HUB_PROBE_POLICY: ${z.prettifyError(policy.error)}`);
  const auth = readAuth(env);
  if (typeof auth === "string") return refuse(auth);
  const cluster = readCluster(env);
  if (typeof cluster === "string") return refuse(cluster);
  const dataDir = resolve(env.HUB_DATA);
  return {
    ok: true,
    config: {
      host: env.HUB_HOST,
      port: env.HUB_PORT,
      dataDir,
      auth,
      sessionIdleMs: env.HUB_SESSION_IDLE_MINUTES * 60_000,
      trustedProxies: env.HUB_TRUSTED_PROXIES,
      joinToken: readSecret(env.HUB_JOIN_TOKEN_FILE),
      signingKeyFile: env.HUB_SIGNING_KEY_FILE ?? resolve(dataDir, "keys/hub.key.pem"),
      previousSigningKeyFile: env.HUB_PREVIOUS_SIGNING_KEY_FILE,
      releaseKeyFiles: env.HUB_RELEASE_KEYS,
      devReleaseKeyFile: env.HUB_DEV_RELEASE_KEY_FILE,
      gateSoakSeconds: env.HUB_GATE_SOAK_SECONDS,
      quarantineAfter: env.HUB_QUARANTINE_AFTER,
      probePolicy: policy.data,
      dashboardDir: resolve(env.HUB_DASHBOARD_DIR),
      offlineAfterMs: env.HUB_OFFLINE_AFTER_SECONDS * 1_000,
      pilotGroup: env.HUB_PILOT_GROUP,
      manifestLifetimeMs: env.HUB_MANIFEST_HOURS * 3_600_000,
      maxArtifactBytes: env.HUB_MAX_ARTIFACT_BYTES,
      rehashArtifacts: env.HUB_REHASH_ARTIFACTS,
      logLevel: env.HUB_LOG_LEVEL,
      s3: s3Config(env),
      publicUrl: env.HUB_PUBLIC_URL,
      webhooks: {
        offlineAfterSeconds: env.HUB_TELL_OFFLINE_SECONDS,
        allowLoopback: env.HUB_WEBHOOK_LOOPBACK ?? env.HUB_AUTH === "none",
      },
      shutdownMs: env.HUB_SHUTDOWN_SECONDS * 1_000,
      drainMs: drainSeconds * 1_000,
      databaseUrl: env.DATABASE_URL,
      cluster,
      keep: {
        points: { minute: env.HUB_KEEP_MINUTES, hour: env.HUB_KEEP_HOURS, day: env.HUB_KEEP_DAYS },
        labelsDays: env.HUB_KEEP_LABELS_DAYS,
        outcomesDays: env.HUB_KEEP_OUTCOMES_DAYS,
        deadAfterDays: env.HUB_DEAD_AFTER_DAYS,
        unusedDays: env.HUB_KEEP_UNUSED_DAYS,
      },
      // Where several hubs share a database, what one keeps in memory the others would not see.
      heartbeatWriteMs: env.DATABASE_URL === undefined ? env.HUB_HEARTBEAT_WRITE_SECONDS * 1_000 : 0,
    },
  };
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
    checksums: env.HUB_S3_CHECKSUMS,
  };
}
