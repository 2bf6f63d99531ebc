// One contract for every reloader: a good reload is ok, everything else is a mishap with code, words and a next step, in time.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DBUS_DAEMON, fakeSystemd } from "../../testing/fake-systemd.ts";
import { fakeKubernetes } from "../../testing/fake-kubernetes.ts";
import { kubernetesOf, loads, tritonThat } from "../../testing/reloaders.ts";
import { tempDir } from "../../testing/temp-dir.ts";
import { commandReloader } from "./command.ts";
import { dbusReloader } from "./dbus.ts";
import type { Reloader } from "./reloader.ts";
import { systemdPathReloader } from "./systemd-path.ts";

if (DBUS_DAEMON === undefined) console.log("contract.test.ts: D-Bus not tested, dbus-daemon is not installed");
const UNIT = "context-edge-inference.service";
const file = { file: "model-v2.1.trt", version: "v2.1", digest: "a".repeat(64) };
const never = new AbortController().signal;

/** A host that answers every request file like the real one. */
async function host(dir: string, verdict: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const id = await readFile(join(dir, "restart"), "utf8").catch(() => "");
    if (id !== "") {
      await rm(join(dir, "restart"));
      await writeFile(join(dir, "result"), `${id.trim()} ${verdict}\n`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Case {
  name: string;
  /** A reloader whose service does what it is told, one whose service refuses, and one whose service never answers. */
  good: () => Promise<Reloader>;
  refusing: () => Promise<Reloader>;
  silent?: () => Promise<Reloader>;
}

const CASES: Case[] = [
  {
    name: "command",
    good: async () => commandReloader(["true"]),
    refusing: async () => commandReloader(["false"]),
    silent: async () => commandReloader(["sleep", "60"]),
  },
  {
    name: "systemd-path",
    async good() {
      const dir = await tempDir();
      void host(dir, "ok", AbortSignal.timeout(5_000));
      return systemdPathReloader(dir);
    },
    async refusing() {
      const dir = await tempDir();
      void host(dir, "failed unit not found", AbortSignal.timeout(5_000));
      return systemdPathReloader(dir);
    },
    silent: async () => systemdPathReloader(await tempDir()),
  },
  {
    name: "triton",
    good: () => tritonThat(loads("READY")),
    refusing: () => tritonThat(loads("UNAVAILABLE", "unload")),
    silent: () => tritonThat(() => null),
  },
  {
    name: "kubernetes",
    good: async () => kubernetesOf(await fakeKubernetes(["jetson-1"])),
    refusing: async () =>
      kubernetesOf(Object.assign(await fakeKubernetes(["jetson-1"]), { refuse: { method: "GET", status: 403 } })),
    silent: async () => kubernetesOf(Object.assign(await fakeKubernetes(["jetson-1"]), { willBeReady: false })),
  },
  ...(DBUS_DAEMON === undefined
    ? []
    : [
        {
          name: "dbus",
          good: async () => dbusReloader(UNIT, (await fakeSystemd()).address),
          refusing: async () =>
            dbusReloader(
              UNIT,
              Object.assign(await fakeSystemd(), { denied: "org.freedesktop.DBus.Error.AccessDenied" }).address,
            ),
          async silent() {
            const systemd = await fakeSystemd();
            systemd.onRestart = () => (systemd.unit = { activeState: "activating", subState: "start", restarts: 0 });
            return dbusReloader(UNIT, systemd.address);
          },
        },
      ]),
];

describe.each(CASES)("the $name reloader", ({ good, refusing, silent }) => {
  const asked = (reloader: Reloader, budgetMs = 5_000, signal = never) =>
    reloader.reload({ model: "default", file, link: "/models/current.trt", budgetMs }, signal);

  test("has the service load the file", async () => expect(await asked(await good())).toEqual({ ok: true }));

  test("tells a refusal with a code, words and what to do", async () => {
    const result = await asked(await refusing());
    if (result.ok) throw new Error("it was not refused");
    expect(result.mishap.code).toMatch(/^[A-Z_]+$/);
    expect(result.mishap.message.length).toBeGreaterThan(20);
    expect(result.mishap.nextStep).not.toBe("");
    expect(result.mishap.kind).toBe("passing");
  });

  test("a service that never comes up ends in time", async () => {
    if (!silent) return;
    expect(await asked(await silent(), 400)).toMatchObject({ ok: false, mishap: { kind: "passing" } });
  });

  test("lets go when the agent is stopped", async () => {
    if (!silent) return;
    const stop = new AbortController();
    const pending = asked(await silent(), 60_000, stop.signal);
    setTimeout(() => stop.abort(), 100);
    await pending.then(
      (result) => expect(result.ok).toBe(false),
      (error: unknown) => expect(stop.signal.aborted && error).toBeTruthy(),
    );
  });
});
