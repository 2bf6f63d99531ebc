// A whole device for tests: temp directory, fake hub, fake inference service, and the agent in this process or in one of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { type Agent, assemble } from "../agent.ts";
import { loadConfig } from "../config.ts";
import { bells } from "../bells.ts";
import { runAgent, runOnce } from "../run.ts";
import { type FakeHub, startFakeHub, TEST_JOIN_TOKEN } from "./fake-hub.ts";
import { type FakeInference, startFakeInference } from "./fake-inference.ts";

export interface TestDevice {
  dir: string;
  hub: FakeHub;
  inference: FakeInference;
  environment: Record<string, string>;
  /** Target of `current.onnx`, null without one. */
  current(): Promise<string | null>;
  backup(): Promise<string | null>;
  /** Everything there is to do now. @returns whether the device is where it should be */
  once(): Promise<boolean>;
  /** The agent in this process, until stopped. */
  start(): Promise<{ agent: Agent; stop(): Promise<void> }>;
  /** The agent as a process of its own. */
  spawn(command?: "run" | "once"): ChildProcess;
  close(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

export async function testDevice(): Promise<TestDevice> {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-agent-"));
  const models = join(dir, "models");
  const hub = await startFakeHub("edge-001");
  const inference = await startFakeInference(join(models, "current.onnx"));
  await writeFile(join(dir, "hub.pem"), hub.hubKey.pem);
  await writeFile(join(dir, "release.pem"), hub.releaseKey.pem);
  await writeFile(join(dir, "join"), `${TEST_JOIN_TOKEN}\n`);
  const environment = {
    AGENT_DEVICE_ID: "edge-001",
    AGENT_MODELS_DIR: models,
    AGENT_HUB_URL: hub.url,
    AGENT_HUB_KEYS: join(dir, "hub.pem"),
    AGENT_RELEASE_KEYS: join(dir, "release.pem"),
    AGENT_JOIN_TOKEN_FILE: join(dir, "join"),
    AGENT_LINK_NAME: "current.onnx",
    AGENT_RELOADER: "triton",
    AGENT_PROBE: "oip",
    AGENT_INFERENCE_URL: inference.url,
    AGENT_STATUS_PORT: "0",
    AGENT_POLL_MIN_MS: "20",
    AGENT_POLL_MAX_MS: "100",
    AGENT_HEARTBEAT_MS: "250",
    AGENT_LOG_LEVEL: "silent",
    // Temporary directories of test machines are often in memory.
    AGENT_ALLOW_FILESYSTEMS: "tmpfs,overlay",
    AGENT_DISK_RESERVE: "1MB",
  };
  const linked = (name: string) => readlink(join(models, name)).catch(() => null);
  const log = pino({ level: "silent" });
  const open = async () => {
    const ring = bells();
    const config = await loadConfig(environment);
    return {
      ring,
      agent: await assemble(config, log, { followed: ring.ring, wake: ring.ring, moved: () => undefined }),
    };
  };

  return {
    dir: models,
    hub,
    inference,
    environment,
    current: () => linked("current.onnx"),
    backup: () => linked("current.onnx.backup"),
    async once() {
      const { ring, agent } = await open();
      try {
        return await runOnce(agent, ring, AbortSignal.timeout(60_000));
      } finally {
        await agent.lock.release();
      }
    },
    async start() {
      const { ring, agent } = await open();
      const stop = new AbortController();
      const running = runAgent(agent, ring, stop.signal);
      return {
        agent,
        async stop() {
          stop.abort();
          await running;
          await agent.lock.release();
        },
      };
    },
    spawn: (command = "run") =>
      spawn(process.execPath, [MAIN, command], {
        env: { ...process.env, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
      }),
    async close() {
      await hub.close();
      await inference.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Waits for a condition with a deadline, and says what it waited for. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await delay(15);
  }
}
