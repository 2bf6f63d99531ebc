// What `login` remembers, per hub, in one file that only its owner can read.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { wrongUse } from "./exits.ts";
import type { Credential } from "./hub-client.ts";

const Remembered = z.looseObject({
  /** That somebody pasted: its owner may use it elsewhere, so it is never revoked from here. */
  token: z.string().optional(),
  /** The session of a person, and the person's name. */
  cookie: z.string().optional(),
  name: z.string().optional(),
  /** Of a token that an earlier `login` made in the person's place; kept to be revoked. */
  token_id: z.string().optional(),
});
export type Remembered = z.infer<typeof Remembered>;

const Settings = z.looseObject({
  /** The hub of the newest login. */
  current: z.string().optional(),
  hubs: z.record(z.string(), Remembered).default({}),
});
export type Settings = z.infer<typeof Settings>;

export type Environment = Readonly<Record<string, string | undefined>>;

export function settingsFile(environment: Environment): string {
  const base = environment["XDG_CONFIG_HOME"] || join(environment["HOME"] || homedir(), ".config");
  return join(base, "context-edge", "config.json");
}

export function readSettings(environment: Environment): Settings {
  const file = settingsFile(environment);
  try {
    return Settings.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return { hubs: {} };
    throw wrongUse(`${file} cannot be read.`, "Remove it and sign in again: context-edge login URL");
  }
}

/** Written beside and renamed, so that nobody ever reads a half of it. */
export function writeSettings(environment: Environment, settings: Settings): void {
  const file = settingsFile(environment);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.${process.pid}.new`;
  writeFileSync(beside, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
  renameSync(beside, file);
}

/** `https://hub.example:8000/`, `hub.example` → an address without a slash at its end. */
export function normalUrl(text: string): string {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw wrongUse(`"${text}" is no address of a hub.`, "Write it like https://hub.example:8000.");
  }
  if (url.username || url.password || url.search || url.hash) {
    throw wrongUse("An address of a hub has no user, no query and no fragment.", "A token goes to --token-stdin.");
  }
  return url.href.replace(/\/+$/, "");
}

export interface Chosen {
  url: string;
  credential: Credential | undefined;
}

/** `--hub` outranks CONTEXT_EDGE_URL, which outranks the newest login; CONTEXT_EDGE_TOKEN outranks what is remembered. */
export function chooseHub(environment: Environment, named: string | undefined): Chosen {
  const fromOutside = named ?? (environment["CONTEXT_EDGE_URL"] || undefined);
  const token = environment["CONTEXT_EDGE_TOKEN"]?.trim();
  // A CI job that says everything itself shall not stumble over a home directory it does not own.
  if (fromOutside !== undefined && token) return { url: normalUrl(fromOutside), credential: { token } };
  const settings = readSettings(environment);
  const address = fromOutside ?? settings.current;
  if (address === undefined) {
    throw wrongUse("No hub is named.", "Sign in with: context-edge login URL, or set CONTEXT_EDGE_URL.");
  }
  const url = normalUrl(address);
  return { url, credential: token ? { token } : credentialOf(settings.hubs[url]) };
}

export function credentialOf(remembered: Remembered | undefined): Credential | undefined {
  if (remembered?.token !== undefined) return { token: remembered.token };
  return remembered?.cookie === undefined ? undefined : { cookie: remembered.cookie, name: remembered.name };
}
