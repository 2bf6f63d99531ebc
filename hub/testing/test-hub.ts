// A whole hub for a test: temp directory, real database, real keys, a clock that the test turns, and devices that enrol and report.
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type EnrollReply,
  type Observed,
  type OutcomeReport,
  seal,
  signingKeyFromSeed,
  type SigningKey,
  type Statement,
  STATEMENT_PAYLOAD_TYPE,
} from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import { buildApp } from "../app.ts";
import { readConfig } from "../config.ts";
import { openHub, type Hub } from "../hub.ts";
import { copySqlite } from "../store/sqlite-copy.ts";

export const JOIN_TOKEN = "join-token-of-a-test";

export interface TestHub {
  hub: Hub;
  app: FastifyInstance;
  dir: string;
  releaseKey: SigningKey;
  call(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    url: string,
    payload?: object,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Uploads and registers; the bytes are the version's name unless given. */
  register(
    version: string,
    more?: { bytes?: Buffer; accuracy?: number; signed?: "release" | "nobody"; headers?: Record<string, string> },
  ): Promise<{ status: number; body: Record<string, unknown>; digest: string }>;
  enroll(id: string, group?: string): Promise<TestDevice>;
  /** On loopback, on a port that was free. @returns its address */
  listen(): Promise<string>;
  /** Ends and begins again with the same data, on the same port. */
  restart(): Promise<void>;
  /** What a kill would leave just now, for another hub: only one works on a directory. @returns a data directory of its own */
  remains(): Promise<string>;
  close(): Promise<void>;
}

export interface TestDevice {
  id: string;
  headers: { authorization: string };
  /** Reports that it runs `version`, optionally with the outcome that led there. */
  report(version: string, outcome?: Partial<OutcomeReport>, more?: Partial<Observed>): Promise<void>;
}

/**
 * @param now the hub's clock, milliseconds since the epoch
 * @param prepare adds to the app before anything is asked of it
 */
export async function openTestHub(
  env: Record<string, string> = {},
  now: () => number = Date.now,
  prepare: (app: FastifyInstance) => void = () => undefined,
): Promise<TestHub> {
  const dir = mkdtempSync(join(tmpdir(), "context-edge-hub-"));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  writeFileSync(join(dir, "release.pub.pem"), publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(join(dir, "join"), JOIN_TOKEN);
  const releaseKey = signingKeyFromSeed(Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url"));
  const configured = readConfig({
    HUB_DATA: join(dir, "data"),
    HUB_JOIN_TOKEN_FILE: join(dir, "join"),
    HUB_RELEASE_KEYS: join(dir, "release.pub.pem"),
    HUB_GATE_SOAK_SECONDS: "0",
    HUB_DASHBOARD_DIR: join(dir, "no-dashboard"),
    HUB_LOG_LEVEL: "silent",
    ...env,
  });
  if (!configured.ok) throw new Error(configured.reason);
  const { config } = configured;
  let hub = await openHub(config, now);
  let app = await buildApp(hub);
  prepare(app);
  const digests = new Map<string, string>();

  const call: TestHub["call"] = async (method, url, payload, headers = {}) => {
    const response = await app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
    return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
  };

  return {
    get hub() {
      return hub;
    },
    get app() {
      return app;
    },
    dir,
    async listen() {
      const url = await app.listen({ host: "127.0.0.1", port: 0 });
      return url;
    },
    async restart() {
      const { port } = new URL(app.listeningOrigin);
      await app.close();
      await hub.close();
      hub = await openHub(config, now);
      app = await buildApp(hub);
      await app.listen({ host: "127.0.0.1", port: Number(port) });
    },
    async remains() {
      const left = mkdtempSync(join(dir, "remains-"));
      await copySqlite(join(config.dataDir, "hub.sqlite"), join(left, "hub.sqlite"));
      return left;
    },
    releaseKey,
    call,
    async register(version, how = {}) {
      const { bytes = Buffer.from(`model ${version}`), accuracy = 0.9, signed = "release", headers = {} } = how;
      const digest = createHash("sha256").update(bytes).digest("hex");
      digests.set(version, digest);
      await app.inject({
        method: "PUT",
        url: `/mlops/artifacts/${digest}`,
        headers: { ...headers, "content-type": "application/octet-stream" },
        payload: bytes,
      });
      const statement: Statement = {
        schema: 1,
        model: "default",
        version,
        release: 1,
        created_at: "2026-01-01T00:00:00.000Z",
        variants: [{ digest, size_bytes: bytes.length, format: "onnx", platform: {} }],
      };
      const registration = {
        version_id: version,
        accuracy,
        model_path: `artifact://${digest}`,
        training_samples: 100,
        training_date: "2026-01-01T00:00:00Z",
        ...(signed === "release" ? { statement: seal(STATEMENT_PAYLOAD_TYPE, statement, releaseKey) } : {}),
      };
      const answer = await call("POST", "/mlops/models/register", registration, headers);
      return { ...answer, digest };
    },
    async enroll(id, group) {
      const answer = await call("POST", "/device/v1/enroll", {
        join_token: JOIN_TOKEN,
        device_id: id,
        ...(group === undefined ? {} : { group }),
        inventory: { agent_version: "test", arch: "arm64" },
      });
      const { credential } = answer.body as unknown as EnrollReply;
      return testDevice(app, id, credential, digests);
    },
    async close() {
      await app.close();
      await hub.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function testDevice(
  app: FastifyInstance,
  id: string,
  credential: string,
  digests: ReadonlyMap<string, string>,
): TestDevice {
  const headers = { authorization: `Bearer ${credential}` };
  const outbox = crypto.randomUUID();
  let number = 0;
  const installed = (version: string) => ({ version, digest: digests.get(version) ?? "0".repeat(64) });
  return {
    id,
    headers,
    async report(version, outcome, more = {}) {
      number += 1;
      const at = new Date().toISOString();
      const report: OutcomeReport | undefined = outcome && {
        model: "default",
        version,
        digest: installed(version).digest,
        deployment_id: "",
        outcome: "committed",
        code: "OK",
        message: "it runs",
        next_step: "",
        at,
        evidence: {},
        ...outcome,
      };
      const state: Observed = {
        at,
        phase: "idle",
        inventory: { agent_version: "test", arch: "arm64" },
        models: {
          default: {
            current: installed(version),
            backup: null,
            current_since: at,
            attempt: null,
            waiting: null,
            last_outcome: report ?? null,
            quarantined: [],
            stats: null,
          },
        },
        hold: null,
        telemetry: null,
        trouble: null,
        manifest_sequence: null,
        status_url: null,
        ...more,
      };
      const payload = { device: id, outbox, observed: { number, state }, outcomes: report ? [{ number, report }] : [] };
      const response = await app.inject({ method: "POST", url: "/device/v1/reports", headers, payload });
      if (response.statusCode !== 200) throw new Error(`the report was refused: ${response.body}`);
    },
  };
}

/** Waits for a condition instead of a time. */
export async function until<T>(read: () => Promise<T | false | undefined>, deadlineMs = 5_000): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (value !== false && value !== undefined) return value;
    if (performance.now() > endMs) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
