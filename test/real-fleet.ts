// A real fleet for a test: hub, inference services and agents as processes on free loopback ports, under a directory of their own.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Deployment, Device, Problem } from "@context-edge/protocol";
import { startAgent, startHub, startInference } from "@context-edge/demo/fleet.ts";
import { connectToHub, type HubApi } from "@context-edge/demo/hub-api.ts";
import { ensureKeys, loadSigningKey } from "@context-edge/demo/keys.ts";
import { layOut, type Layout } from "@context-edge/demo/layout.ts";
import { findTakenPort } from "@context-edge/demo/ports.ts";
import { superviseChildren, type Children } from "@context-edge/demo/processes.ts";
import { generateLoad } from "@context-edge/demo/load/generator.ts";
import { readHeldOut } from "@context-edge/demo/load/samples.ts";
import { MODELS_DIR, seedHub } from "@context-edge/demo/seed.ts";

export interface Answer {
  status: number;
  // The shape is the test's to check: it reads what a script would read.
  body: Record<string, unknown>;
}

export interface RealFleet {
  layout: Layout;
  hub: HubApi;
  children: Children;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  device(id: string): Promise<Device>;
  deployment(id: string): Promise<Deployment>;
  startHubAgain(): Promise<void>;
  startAgentAgain(id: string): void;
  statusPage(id: string): Promise<string>;
  waitFor<T>(what: string, read: () => Promise<T | undefined | false>, deadlineMs?: number): Promise<T>;
  /** Ends every process and, unless told to keep it for reading, removes the directory. */
  close(): Promise<void>;
}

export interface FleetSettings {
  devices: number;
  soakSeconds: number;
  offlineAfterSeconds?: number;
  /** The demo's latency policy, for tests of slow versions. Others must not fail because the machine is busy. */
  strictLatency?: boolean;
}

const TOLERANT = { baseline_floor_ms: 2_000 };

/** Starts everything and returns when v2.0 runs on every device. */
export async function startRealFleet(settings: FleetSettings): Promise<RealFleet> {
  const dataDir = mkdtempSync(join(tmpdir(), "context-edge-fleet-"));
  const base = await findFreeRow(settings.devices);
  const layout = layOut({ ...settings, port: base, statusPort: base + 1, dataDir, fresh: false });
  const keys = ensureKeys(layout.keysDir);
  const children = superviseChildren(layout.logsDir, () => undefined);
  const hub = connectToHub(layout.hubUrl);
  const stop = new AbortController();
  let load: Promise<void> = Promise.resolve();

  const startHubAgain = async () => {
    startHub(children, layout, keys, {
      port: base,
      ...settings,
      ...(settings.strictLatency ? {} : { probe: TOLERANT }),
    });
    await waitFor("the hub to be ready", () => hub.isReady(), 30_000);
  };
  const call: RealFleet["call"] = async (method, path, body) => {
    const response = await fetch(`${layout.hubUrl}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const close = async () => {
    stop.abort();
    await load;
    await children.stopAll();
    rmSync(dataDir, { recursive: true, force: true });
  };

  try {
    await Promise.all([startHubAgain(), startInference(children, layout.devices)]);
    for (const device of layout.devices) startAgent(children, layout, keys, device);
    await waitFor("enrolment", async () => (await hub.devices()).length === settings.devices);
    await seedHub(hub, loadSigningKey(keys.releaseKeyFile), layout.hubDir);
    const heldOut = await readHeldOut(join(MODELS_DIR, "held-out.json"));
    load = generateLoad(
      hub,
      { devices: layout.devices, heldOut, pauseMs: 300, labelledShare: 0.5, flushMs: 500 },
      stop.signal,
    );
    await waitFor(
      "v2.0 on every device",
      async () => (await hub.devices()).every((device) => device.sync === "in-sync"),
      90_000,
    );
  } catch (error) {
    const hubLog = readFileSync(join(layout.logsDir, "hub.log"), "utf8").slice(-4_000);
    await close();
    throw new Error(`the fleet did not start; the hub's last words:\n${hubLog}`, { cause: error });
  }

  return {
    layout,
    hub,
    children,
    call,
    startHubAgain,
    waitFor,
    close,
    device: async (id) => (await call("GET", `/api/v1/devices/${id}`)).body as unknown as Device,
    deployment: async (id) => (await call("GET", `/api/v1/deployments/${id}`)).body as unknown as Deployment,
    startAgentAgain: (id) => startAgent(children, layout, keys, deviceOf(layout, id)),
    statusPage: async (id) => (await fetch(`http://127.0.0.1:${deviceOf(layout, id).statusPort}/`)).text(),
  };
}

export const problemOf = (answer: Answer) => answer.body as unknown as Problem;

function deviceOf(layout: Layout, id: string) {
  const device = layout.devices.find((candidate) => candidate.id === id);
  if (!device) throw new Error(`the fleet has no device ${id}`);
  return device;
}

/** Waits for a condition instead of a time; what never comes true fails with its name. */
async function waitFor<T>(what: string, read: () => Promise<T | undefined | false>, deadlineMs = 150_000): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const value = await read().catch(() => undefined);
    if (value !== undefined && value !== false) return value;
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await wait(100);
  }
}

/** @returns a port with enough free ones behind it for status pages (+1…) and inference services (+101…). */
async function findFreeRow(devices: number): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const base = 20_000 + Math.floor(Math.random() * 100) * 120;
    const row = Array.from({ length: devices }, (_, index) => [base + 1 + index, base + 101 + index]).flat();
    if ((await findTakenPort([base, ...row])) === undefined) return base;
  }
  throw new Error("found no row of free ports");
}
