// Every setting of the agent with its default and its words: the environment is parsed by this, and help and docs are written from it.
import { hostname } from "node:os";
import { DeviceId, GroupName, ModelName } from "@context-edge/protocol";
import bytes from "bytes";
import { z } from "zod";

/** One line of help; `shown` stands for the default where the value itself would say little. */
export interface SettingHelp {
  topic: Topic;
  help: string;
  shown?: string;
}
export const TOPICS = ["Identity", "Trust", "Files", "Reload", "Probe", "Schedule", "Network", "Page and log"] as const;
export type Topic = (typeof TOPICS)[number];

const LinkName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/, "must be a plain file name");
const HttpUrl = z.url({ protocol: /^https?$/, error: "must be an address, such as https://hub.example:8000" });

const words = (separator: RegExp | string) =>
  z
    .string()
    .default("")
    .transform((text) =>
      text
        .split(separator)
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    );
const list = words(",");

/** `["systemctl","restart","inference"]`: no shell ever sees it. */
const argv = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: 'must be a JSON list of words, e.g. ["/usr/local/bin/check"]' });
      return z.NEVER;
    }
  })
  .pipe(z.array(z.string()).min(1));

/** `256MB`, `1.5GB` or a number of bytes; MB is 1024 × 1024. */
const size = z.string().transform((text, context) => {
  const parsed = bytes.parse(text);
  if (parsed !== null && parsed >= 0) return parsed;
  context.addIssue({ code: "custom", message: "must be a size such as 256MB" });
  return z.NEVER;
});

const count = (fallback: number, max: number, min = 0) => z.coerce.number().int().min(min).max(max).default(fallback);

const said = <S extends z.ZodType>(schema: S, topic: Topic, help: string, shown?: string): S =>
  schema.meta({ topic, help, ...(shown === undefined ? {} : { shown }) } satisfies SettingHelp);

export const Settings = z.object({
  AGENT_DEVICE_ID: said(
    DeviceId.default(() => hostname()),
    "Identity",
    "name of this device at the hub",
    "host name",
  ),
  AGENT_GROUP: said(GroupName.optional(), "Identity", "group wished for at the first enrolment"),
  AGENT_JOIN_TOKEN_FILE: said(
    z.string().optional(),
    "Identity",
    "file with the token that enrols this device; without it systemd's credential join-token",
  ),
  AGENT_HUB_URL: said(HttpUrl, "Identity", "address of the hub", "required"),
  AGENT_TENSORRT: said(
    z
      .string()
      .regex(/^\d+\.\d+(\.\d+){0,2}$/, "must be a version such as 10.3.0")
      .optional(),
    "Identity",
    "TensorRT inside the inference container; without it the host's counts",
    "the host's",
  ),
  AGENT_HOST_ROOT: said(
    z.string().min(1).default("/"),
    "Identity",
    "for an agent in a container, which sees neither: directory with the host's proc/device-tree and etc/nv_tegra_release",
  ),

  AGENT_HUB_KEYS: said(list, "Trust", "public keys of the hub: SPKI PEM files, comma list", "required"),
  AGENT_RELEASE_KEYS: said(list, "Trust", "public keys releases are signed with, likewise", "required"),
  AGENT_PIN_FILE: said(
    z.string().optional(),
    "Trust",
    "file with the PIN (4 to 32 characters) that allows actions on the status page; without it systemd's credential pin, and without that the page is read-only",
  ),

  AGENT_MODELS_DIR: said(
    z.string().min(1).default("/opt/context-edge/models"),
    "Files",
    "directory of the model files and slot links",
  ),
  AGENT_LINK_NAME: said(
    LinkName.default("current.trt"),
    "Files",
    "name of the link to the running file; its backup adds .backup",
  ),
  AGENT_LINK_NAMES: said(
    list.pipe(z.array(z.templateLiteral([ModelName, "=", LinkName]))),
    "Files",
    "links of models that differ: vision=current.engine, comma list",
  ),
  AGENT_DISK_RESERVE: said(
    size.default(256 * 1024 * 1024),
    "Files",
    "stays free on the models' disk whatever is fetched",
    "256MB",
  ),
  AGENT_DISK_BUDGET: said(size.optional(), "Files", "most that all model files together may take", "the whole disk"),
  AGENT_ALLOW_FILESYSTEMS: said(
    list,
    "Files",
    "filesystem types that are normally refused for the models, such as tmpfs in a lab",
  ),

  AGENT_RELOADER: said(
    z.enum(["systemd-path", "dbus", "triton", "kubernetes", "command", "none"]).default("none"),
    "Reload",
    "how the inference service is made to load the new file: systemd-path, dbus, triton, kubernetes, command or none",
  ),
  AGENT_RELOAD_COMMAND: said(argv.optional(), "Reload", "for command: JSON list of words, run without a shell"),
  AGENT_REQUEST_DIR: said(
    z.string().default("/run/context-edge/requests"),
    "Reload",
    "for systemd-path: where requests and results lie",
  ),
  AGENT_UNIT: said(
    z.string().min(1).default("context-edge-inference.service"),
    "Reload",
    "for dbus: the unit to restart; for systemd-path: the unit to watch for crash loops",
  ),
  AGENT_KUBERNETES_SELECTOR: said(
    z.string().default("app=inference"),
    "Reload",
    "for kubernetes: labels of the inference pods; only those on this node are restarted",
  ),
  AGENT_KUBERNETES_NAMESPACE: said(z.string().optional(), "Reload", "for kubernetes: their namespace", "the agent's"),
  AGENT_NODE_NAME: said(z.string().optional(), "Reload", "for kubernetes: name of this node"),

  AGENT_PROBE: said(
    z.enum(["oip", "trtexec", "command", "none"]).default("none"),
    "Probe",
    "how a file is proved on the device: oip (Triton, MLServer), trtexec, command or none",
  ),
  AGENT_PROBE_COMMAND: said(argv.optional(), "Probe", "for command: JSON list of words, run without a shell"),
  AGENT_INFERENCE_URL: said(
    z.url({ protocol: /^https?$/ }).default("http://127.0.0.1:8000"),
    "Probe",
    "for oip and triton: address of the inference service",
  ),
  AGENT_INFERENCE_MODEL: said(
    z.string().min(1).default("default"),
    "Probe",
    "name under which the service serves the default model",
  ),
  AGENT_METRICS_URL: said(
    z.url({ protocol: /^https?$/ }).optional(),
    "Probe",
    "Prometheus page of the service, e.g. http://127.0.0.1:8002/metrics; for counters when it has no stats",
  ),
  AGENT_TRTEXEC: said(
    z.string().default("/usr/src/tensorrt/bin/trtexec"),
    "Probe",
    "where trtexec lies: for the probe of that name, and for versions whose engine is built on the device",
  ),
  AGENT_TRTEXEC_ARGS: said(argv.optional(), "Probe", 'for trtexec: more words, e.g. ["--shapes=in:1x3x640x640"]'),

  AGENT_WINDOWS: said(
    words(";"),
    "Schedule",
    "cron patterns of the minutes in which a new model may be activated, e.g. * 22-5 * * *; several with a semicolon",
    "always",
  ),
  AGENT_TIME_ZONE: said(z.string().default("UTC"), "Schedule", "time zone of the windows, e.g. Europe/Berlin"),
  AGENT_BUILD_WHEN: said(
    z.enum(["in-window", "any-time", "never"]).default("in-window"),
    "Schedule",
    "when engines may be built here: in-window (of AGENT_WINDOWS, and with the veto command's leave), any-time or never",
  ),
  AGENT_VETO_COMMAND: said(
    argv.optional(),
    "Schedule",
    "asked before an activation or a build: exit 0 for go, 75 for later; JSON list of words",
  ),
  AGENT_VETO_RETRY_MS: said(count(60_000, 900_000, 100), "Schedule", "how long later is"),
  AGENT_POLL_WAIT_SECONDS: said(count(25, 300), "Schedule", "how long the hub may hold a poll"),
  AGENT_POLL_MIN_MS: said(
    count(1_000, 3_600_000),
    "Schedule",
    "least time between polls, and the first wait after a failure",
  ),
  AGENT_POLL_MAX_MS: said(count(300_000, 86_400_000), "Schedule", "longest wait after failures"),
  AGENT_HEARTBEAT_MS: said(count(15_000, 3_600_000, 250), "Schedule", "time between reports when nothing happens"),
  AGENT_TELEMETRY_MS: said(count(30_000, 3_600_000, 250), "Schedule", "least time between readings of the sensors"),

  AGENT_ARTIFACT_ORIGINS: said(
    list.pipe(z.array(z.url({ protocol: /^https?$/ }))),
    "Network",
    "origins beside the hub that downloads may be redirected to, comma list",
  ),
  AGENT_MAX_DOWNLOAD_RATE: said(size.optional(), "Network", "most bytes per second, e.g. 2MB", "unlimited"),
  AGENT_MIN_DOWNLOAD_RATE: said(
    size.default(256),
    "Network",
    "fewer bytes per second over a minute, and the link counts as dead",
    "256B",
  ),

  AGENT_STATUS_HOST: said(z.string().default("127.0.0.1"), "Page and log", "where the status page listens"),
  AGENT_STATUS_PORT: said(count(9090, 65_535), "Page and log", "its port; 0 for no page"),
  AGENT_STATUS_URL: said(
    z.url().max(500).optional(),
    "Page and log",
    "the page's address as people reach it, told to the hub",
  ),
  AGENT_LOG_LEVEL: said(
    z.enum(["silent", "error", "warn", "info", "debug"]).default("info"),
    "Page and log",
    "silent, error, warn, info or debug",
  ),
});
export type Settings = z.infer<typeof Settings>;
