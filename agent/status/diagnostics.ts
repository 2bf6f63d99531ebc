// The diagnostics bundle: one zip of plain files that support needs, and nothing that opens a door. What may be in it is listed, not what may not.
import { strToU8, zipSync } from "fflate";
import type { Settings } from "../settings.ts";
import type { StatusDocument } from "./document.ts";
import { redacted } from "./redact.ts";

export interface DiagnosticsParts {
  /** Milliseconds since the epoch. */
  now: number;
  status: StatusDocument;
  settings: Settings;
  /** Text of each model's journal, by model; also when it is damaged. */
  journals: Readonly<Record<string, string>>;
  /** The end of what each model's last engine build printed, by model. */
  builds: Readonly<Record<string, string>>;
  /** Text of machine files, by the name they get in the bundle, such as `mountinfo.txt`. */
  machine: Readonly<Record<string, string>>;
  /** The agent's last log lines, if it kept any. */
  log?: string;
  /** What the agent knows to be secret (PIN, credential, join token): never in the bundle, wherever it was copied to. */
  secrets: readonly string[];
}

/** `whole`: as it is. `program`: the first word of a command, since its arguments may hold a password. `file`: whether one is named. */
type Shown = "whole" | "program" | "file";

/** Every setting has to be decided on: one that is missing here does not compile. */
export const SHOWN_SETTINGS: Record<keyof Settings, Shown> = {
  AGENT_DEVICE_ID: "whole",
  AGENT_GROUP: "whole",
  AGENT_JOIN_TOKEN_FILE: "file",
  AGENT_HUB_URL: "whole",
  AGENT_TENSORRT: "whole",
  AGENT_HOST_ROOT: "whole",
  AGENT_HUB_KEYS: "file",
  AGENT_RELEASE_KEYS: "file",
  AGENT_PIN_FILE: "file",
  AGENT_MODELS_DIR: "whole",
  AGENT_LINK_NAME: "whole",
  AGENT_LINK_NAMES: "whole",
  AGENT_DISK_RESERVE: "whole",
  AGENT_DISK_BUDGET: "whole",
  AGENT_ALLOW_FILESYSTEMS: "whole",
  AGENT_RELOADER: "whole",
  AGENT_RELOAD_COMMAND: "program",
  AGENT_REQUEST_DIR: "whole",
  AGENT_UNIT: "whole",
  AGENT_KUBERNETES_SELECTOR: "whole",
  AGENT_KUBERNETES_NAMESPACE: "whole",
  AGENT_NODE_NAME: "whole",
  AGENT_PROBE: "whole",
  AGENT_PROBE_COMMAND: "program",
  AGENT_INFERENCE_URL: "whole",
  AGENT_INFERENCE_MODEL: "whole",
  AGENT_METRICS_URL: "whole",
  AGENT_TRTEXEC: "whole",
  AGENT_TRTEXEC_ARGS: "program",
  AGENT_WINDOWS: "whole",
  AGENT_TIME_ZONE: "whole",
  AGENT_BUILD_WHEN: "whole",
  AGENT_VETO_COMMAND: "program",
  AGENT_VETO_RETRY_MS: "whole",
  AGENT_POLL_WAIT_SECONDS: "whole",
  AGENT_POLL_MIN_MS: "whole",
  AGENT_POLL_MAX_MS: "whole",
  AGENT_HEARTBEAT_MS: "whole",
  AGENT_TELEMETRY_MS: "whole",
  AGENT_ARTIFACT_ORIGINS: "whole",
  AGENT_MAX_DOWNLOAD_RATE: "whole",
  AGENT_MIN_DOWNLOAD_RATE: "whole",
  AGENT_STATUS_HOST: "whole",
  AGENT_STATUS_PORT: "whole",
  AGENT_STATUS_URL: "whole",
  AGENT_LOG_LEVEL: "whole",
};

/** @returns the bytes of a zip file */
export function makeDiagnostics(parts: DiagnosticsParts): Uint8Array {
  const { history, ...status } = parts.status;
  const files: Record<string, string> = {
    "README.txt": readme(parts),
    "status.json": json(status),
    "history.json": json(history),
    "settings.json": json(shownSettings(parts.settings)),
    ...prefixed("journals/", ".json", parts.journals),
    ...prefixed("builds/", ".log", parts.builds),
    ...prefixed("machine/", "", parts.machine),
    ...(parts.log === undefined ? {} : { "agent.log": parts.log }),
  };
  const entries = Object.entries(files).map(([name, text]) => [name, strToU8(redacted(text, parts.secrets))] as const);
  return zipSync(Object.fromEntries(entries), { level: 6, mtime: zipTime(parts.now) });
}

export function shownSettings(settings: Settings): Record<string, unknown> {
  const shown = Object.entries(SHOWN_SETTINGS).flatMap(([name, how]) => {
    const value = settings[name as keyof Settings];
    return value === undefined ? [] : [[name, shownValue(value, how)] as const];
  });
  return Object.fromEntries(shown);
}

function shownValue(value: unknown, how: Shown): unknown {
  if (how === "whole") return value;
  if (how === "file") return Array.isArray(value) ? `${value.length} named` : "named";
  return Array.isArray(value) ? `${String(value[0])} and ${value.length - 1} more words` : "set";
}

function prefixed(before: string, after: string, texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [`${before}${name}${after}`, text]));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The zip format knows no time before 1980, which is where a clock without a battery is. */
function zipTime(now: number): Date {
  return new Date(Math.min(Math.max(now, Date.UTC(1980, 0, 2)), Date.UTC(2099, 0, 1)));
}

function readme({ status, now, log }: DiagnosticsParts): string {
  return `Diagnostics of the device ${status.device}, made ${new Date(now).toISOString()} by its agent ${status.inventory.agent_version}.

status.json      what the device says of itself: what runs, since when, what is wrong, how the machine is
history.json     the last attempts to install something, newest first, each with its evidence
settings.json    the agent's settings; of commands only the program, of files only that one is named
journals/        what the agent remembers of each model, to go on after a power cut
builds/          the end of what the last engine build of each model printed, where one was built
machine/         disks, mounts and kernel
${log === undefined ? "" : "agent.log        the agent's last log lines\n"}
Not in here: PIN, keys, tokens, credentials and model files. What looks like a credential was replaced by [removed].
Addresses and names of your network are in here: send it only to those who may know them.
`;
}
