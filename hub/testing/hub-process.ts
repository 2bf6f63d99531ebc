// A hub as the process it is in production, on a port of its own, spoken to over HTTP: for tests that kill it.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { seal, signingKeyFromSeed, type SigningKey, STATEMENT_PAYLOAD_TYPE } from "@context-edge/protocol";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const JOIN_TOKEN = "join-token-of-a-test";

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export interface HubProcess {
  url: string;
  pid: number;
  call(method: string, path: string, payload?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export interface Site {
  dir: string;
  env: Record<string, string>;
  releaseKey: SigningKey;
  start(more?: Record<string, string>): Promise<HubProcess>;
  /** Ends every hub that still runs, and forgets the directory. */
  close(): Promise<void>;
}

/** A directory with keys and tokens that any number of hubs share. */
export function openSite(env: Record<string, string> = {}): Site {
  const dir = mkdtempSync(join(tmpdir(), "context-edge-site-"));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  writeFileSync(join(dir, "release.pub.pem"), publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(join(dir, "join"), JOIN_TOKEN);
  const hubs: HubProcess[] = [];
  const all = {
    HUB_PORT: "0",
    HUB_DATA: join(dir, "data"),
    HUB_JOIN_TOKEN_FILE: join(dir, "join"),
    HUB_RELEASE_KEYS: join(dir, "release.pub.pem"),
    HUB_GATE_SOAK_SECONDS: "0",
    HUB_DASHBOARD_DIR: join(dir, "no-dashboard"),
    ...env,
  };
  return {
    dir,
    env: all,
    releaseKey: signingKeyFromSeed(Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url")),
    async start(more = {}) {
      const hub = await startHub({ ...all, ...more });
      hubs.push(hub);
      return hub;
    },
    async close() {
      await Promise.all(hubs.map((hub) => hub.kill("SIGKILL")));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function startHub(env: Record<string, string>): Promise<HubProcess> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [MAIN], { env: { PATH, NODE_COMPILE_CACHE, ...env } });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const url = await addressOf(child);
  return {
    url,
    pid: child.pid ?? 0,
    call: (method, path, payload, headers) => request(url + path, method, payload, headers),
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      await ended;
    },
  };
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (line) => {
        said.push(line);
        const address = /"address":"([^"]+)"/.exec(line)?.[1];
        if (address) resolve(address);
      });
    }
    child.once("close", () => reject(new Error(said.join("\n"))));
  });
}

async function request(
  url: string,
  method: string,
  payload?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const isBytes = payload instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: {
      ...(payload === undefined ? {} : { "content-type": isBytes ? "application/octet-stream" : "application/json" }),
      ...headers,
    },
    ...(payload === undefined ? {} : { body: isBytes ? Buffer.from(payload) : JSON.stringify(payload) }),
  });
  const text = await response.text();
  const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  return { status: response.status, headers: response.headers, body };
}

/** Uploads and registers a version whose bytes are its name. */
export async function registerOn(hub: HubProcess, site: Site, version: string): Promise<string> {
  const bytes = Buffer.from(`model ${version}`);
  const digest = createHash("sha256").update(bytes).digest("hex");
  await hub.call("PUT", `/mlops/artifacts/${digest}`, bytes);
  const { status, body } = await hub.call("POST", "/mlops/models/register", registrationOf(site, version, bytes));
  if (status !== 201) throw new Error(`${version} was not registered: ${JSON.stringify(body)}`);
  return digest;
}

/** What training sends when the file is there, signed by the release key. */
export function registrationOf(site: Site, version: string, bytes: Buffer): object {
  const digest = createHash("sha256").update(bytes).digest("hex");
  const statement = {
    schema: 1,
    model: "default",
    version,
    release: 1,
    created_at: "2026-01-01T00:00:00.000Z",
    variants: [{ digest, size_bytes: bytes.length, format: "onnx", platform: {} }],
  };
  return {
    version_id: version,
    accuracy: 0.9,
    model_path: `artifact://${digest}`,
    training_samples: 100,
    training_date: "2026-01-01T00:00:00Z",
    statement: seal(STATEMENT_PAYLOAD_TYPE, statement, site.releaseKey),
  };
}
