// The device's own readings for reports and for the page: at most one per interval, never late, never an exception.
import { statfs } from "node:fs/promises";
import { cpus, freemem, networkInterfaces, totalmem, uptime } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Telemetry } from "@context-edge/protocol";
import { readSysfs, type Sysfs } from "./sysfs.ts";
import { readTegrastatsOnce, type Tegrastats } from "./tegrastats.ts";

export interface Sampling {
  modelsDir: string;
  /** Readings are not taken more often than this. */
  everyMs: number;
  /** Whether this is a Jetson, so that tegrastats may be asked for what the kernel did not say. */
  isJetson: boolean;
  /** `/`, or the tree of a test. */
  root?: string;
  tegrastats?: () => Promise<Tegrastats | null>;
}

export interface Sampler {
  latest(): Promise<Telemetry>;
}

/** A disk or a sensor that hangs must not keep a report. */
const DEADLINE_MS = 2_000;

export function openSampler({
  modelsDir,
  everyMs,
  isJetson,
  root = "/",
  tegrastats = readTegrastatsOnce,
}: Sampling): Sampler {
  let cached: { at: number; reading: Promise<Telemetry> } | null = null;
  const cpu = cpuMeter();
  const take = async (): Promise<Telemetry> => {
    const [sysfs, disk] = await Promise.all([inTime(readSysfs(root)), inTime(statfs(modelsDir))]);
    // It takes a second of its own, so only for what is missing.
    const line = isJetson && (sysfs?.gpuPercent ?? null) === null ? await inTime(tegrastats()) : null;
    return {
      at: new Date().toISOString(),
      cpu_percent: cpu(),
      gpu_percent: sysfs?.gpuPercent ?? line?.gpuPercent ?? null,
      temperatures_c: hottest(sysfs, line),
      power_mw: hasAny(sysfs?.powerMw) ?? line?.powerMw ?? {},
      power_mode: sysfs?.powerMode ?? null,
      overcurrent_events: sysfs?.overcurrentEvents ?? null,
      memory_total_bytes: totalmem(),
      // libuv reads MemAvailable: page cache that the kernel would give up counts as free, as it does for the GPU.
      memory_available_bytes: freemem(),
      disk_total_bytes: disk ? disk.blocks * disk.bsize : null,
      disk_free_bytes: disk ? disk.bavail * disk.bsize : null,
      network: addresses(),
      uptime_s: Math.round(uptime()),
    };
  };
  return {
    latest() {
      const now = performance.now();
      if (cached && now - cached.at < everyMs) return cached.reading;
      cached = { at: now, reading: take() };
      return cached.reading;
    },
  };
}

/** Several zones of one name keep the hottest. */
function hottest(sysfs: Sysfs | null, line: Tegrastats | null): Record<string, number> {
  const zones: Record<string, number> = {};
  for (const { type, celsius } of sysfs?.zones ?? []) zones[type] = Math.max(zones[type] ?? -Infinity, celsius);
  return hasAny(zones) ?? line?.temperaturesC ?? {};
}

function hasAny(values: Record<string, number> | undefined): Record<string, number> | undefined {
  return values && Object.keys(values).length > 0 ? values : undefined;
}

async function inTime<T>(reading: Promise<T>): Promise<T | null> {
  const given = new AbortController();
  const late = delay(DEADLINE_MS, null, { signal: given.signal, ref: false }).catch(() => null);
  try {
    return await Promise.race([reading.catch(() => null), late]);
  } finally {
    given.abort();
  }
}

/** Share of all cores that was busy since the last reading; the first one has nothing to compare with. */
function cpuMeter(): () => number | null {
  let before = cpuTimes();
  let isFirst = true;
  return () => {
    const now = cpuTimes();
    const total = now.total - before.total;
    const busy = total - (now.idle - before.idle);
    const wasFirst = isFirst;
    isFirst = false;
    before = now;
    if (wasFirst || total <= 0) return null;
    return Math.round(Math.min(100, Math.max(0, (100 * busy) / total)));
  };
}

function cpuTimes(): { total: number; idle: number } {
  const all = cpus().map(({ times }) => times);
  const total = all.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { total, idle: all.reduce((sum, { idle }) => sum + idle, 0) };
}

/** Interfaces that are up and have an address; IPv4 first, for that is what people type. */
function addresses(): Telemetry["network"] {
  return Object.entries(networkInterfaces())
    .flatMap(([name, entries]) =>
      (entries ?? [])
        .filter((entry) => !entry.internal && !entry.address.startsWith("fe80"))
        .map(({ address, family }) => ({ name: name.slice(0, 64), address: address.slice(0, 64), up: true, family })),
    )
    .toSorted((a, b) => a.family.localeCompare(b.family))
    .map(({ family: _family, ...shown }) => shown)
    .slice(0, 32);
}
