// The shipped units and both systemd reloaders against a systemd that booted: what is asked for happens, what fails is told.
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dbusReloader } from "@context-edge/agent/effects/reloaders/dbus.ts";
import { systemdPathReloader } from "@context-edge/agent/effects/reloaders/systemd-path.ts";
import { watchUnit } from "@context-edge/agent/effects/reloaders/unit-watch.ts";
import { eventually } from "@context-edge/agent/testing/test-device.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { boot, type Machine, put } from "./machine.ts";

const why = inject("obstacle");

const UNIT = "context-edge-inference.service";
const MODELS = "/opt/context-edge/models";
const REQUESTS = "/opt/context-edge/requests";
const NODE = "/opt/context-edge/app/node_modules/.bin/node";
const INSIDE = "/opt/context-edge/app/test/systemd/reload-inside.ts";
const SHIPPED = "agent.service backup.service backup.timer hub.service inference.service restart.path restart.service";
/** What the units name; the agent itself is installed by journey.test.ts. */
const INSTALL_PROGRAMS = `install -D -m 755 /opt/context-edge/app/systemd/restart-inference /usr/local/lib/context-edge/restart-inference
install -D -m 755 /bin/true /opt/context-edge/agent/current/bin/node`;
const never = new AbortController().signal;

/** Serves what the link leads to: the words in the file say how the service behaves with it. */
const SERVICE = `#!/bin/sh
model=$(cat ${MODELS}/current.trt) || exit 1
case $model in crashing*) sleep 0.1; exit 1 ;; esac
printf '%s' "$model" > /run/served
exec sleep infinity
`;
const CHECK = `#!/bin/sh\n! grep -q refused ${MODELS}/current.trt\n`;
const DROP_IN = `[Service]
# It says under /run what it serves.
DynamicUser=no
ReadWritePaths=/run
ExecStart=
ExecStartPre=/usr/local/bin/inference-check
ExecStart=/usr/local/bin/inference
RestartSec=200ms
`;

let machine: Machine;
const sh = (script: string) => machine.run("sh", "-c", script);
const served = () => readFile(machine.path("/run/served"), "utf8").catch(() => null);
const invocation = async () => (await machine.run("systemctl", "show", "-P", "InvocationID", UNIT)).stdout.trim();
const reloading = (budgetMs = 30_000) => ({
  model: "default",
  file: { file: "model-v1.trt", version: "v1", digest: "a".repeat(64) },
  link: `${MODELS}/current.trt`,
  budgetMs,
});
const bus = () => `unix:path=${machine.path("/run/dbus/system_bus_socket")}`;
const overBus = () => dbusReloader(UNIT, bus());
const overPath = () => systemdPathReloader(machine.path(REQUESTS));

/** A swap as the agent makes it: a relative link to the file beside it. */
async function swapTo(words: string): Promise<void> {
  const models = machine.path(MODELS);
  await writeFile(join(models, `${words}.trt`), words);
  await rm(join(models, "current.trt"), { force: true });
  await symlink(`${words}.trt`, join(models, "current.trt"));
}

describe.skipIf(why !== "")("on a booted systemd", () => {
  beforeAll(async () => {
    machine = await boot();
    await sh("useradd --system context-edge");
    for (const directory of [MODELS, REQUESTS]) await mkdir(machine.path(directory), { recursive: true });
    await sh(`chown context-edge: ${MODELS} ${REQUESTS}`);
    await sh(INSTALL_PROGRAMS);
    for (const unit of SHIPPED.split(" "))
      await sh(`cp /opt/context-edge/app/systemd/context-edge-${unit} /etc/systemd/system/`);
    await put(machine, "/usr/local/bin/inference", SERVICE, 0o755);
    await put(machine, "/usr/local/bin/inference-check", CHECK, 0o755);
    await put(machine, `/etc/systemd/system/${UNIT}.d/test.conf`, DROP_IN);
    await swapTo("v1");
    const started = await sh(`systemctl daemon-reload && systemctl enable --now context-edge-restart.path ${UNIT}`);
    if (started.exitCode !== 0) throw new Error(`the units could not be started: ${started.stderr}`);
    await eventually("v1 is served", async () => (await served()) === "v1");
  });
  afterAll(() => machine?.halt());
  beforeEach(async () => {
    await swapTo("v1");
    await sh(`systemctl reset-failed ${UNIT}; systemctl restart ${UNIT}`);
    await eventually("v1 is served", async () => (await served()) === "v1");
  });

  test("every unit that is shipped is one systemd has nothing to say against", async () => {
    const units = SHIPPED.split(" ").map((unit) => `context-edge-${unit}`);
    expect(await machine.run("systemd-analyze", "verify", "--man=no", ...units)).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
  });

  describe("a request file", () => {
    test("restarts the unit, which serves the new file, and is answered and gone", async () => {
      const before = await invocation();
      await swapTo("v2");
      expect(await overPath().reload(reloading(), never)).toEqual({ ok: true });
      expect(await invocation()).not.toBe(before);
      await eventually("v2 is served", async () => (await served()) === "v2");
      await expect(readFile(machine.path(`${REQUESTS}/restart`))).rejects.toMatchObject({ code: "ENOENT" });
    });

    test("fault 40: a unit that does not start is told as failed, and the file before it comes back the same way", async () => {
      await swapTo("refused");
      expect(await overPath().reload(reloading(), never)).toMatchObject({
        ok: false,
        mishap: { code: "RELOAD_FAILED", evidence: { detail: expect.stringContaining(UNIT) } },
      });
      await swapTo("v1");
      expect(await overPath().reload(reloading(), never)).toEqual({ ok: true });
      await eventually("v1 is served", async () => (await served()) === "v1");
    });

    test("is answered however many come one after the other", async () => {
      for (let round = 0; round < 12; round += 1) {
        expect(await overPath().reload(reloading(), never), `round ${round}`).toEqual({ ok: true });
      }
    });

    test("may be written by the agent's own unit with all its sandboxing, and by its ordinary user", async () => {
      // The unit as shipped, but for what it runs.
      await put(
        machine,
        "/etc/systemd/system/context-edge-agent.service.d/test.conf",
        `[Service]\nEnvironmentFile=\nRestart=no\nExecStart=\nExecStart=${NODE} ${INSIDE} systemd-path ${REQUESTS}\nStandardOutput=truncate:/run/agent-said\n`,
      );
      await swapTo("v3");
      await sh("systemctl daemon-reload && systemctl start context-edge-agent.service");
      const said = () => readFile(machine.path("/run/agent-said"), "utf8").catch(() => "");
      await eventually("the agent's process said something", async () => (await said()).includes("\n"), 30_000);
      expect(JSON.parse(await said())).toEqual({ ok: true });
      await eventually("v3 is served", async () => (await served()) === "v3");
    });

    test("fault 42: a crash loop behind a restart that was answered with ok is told long before the budget is over", async () => {
      const reloader = systemdPathReloader(machine.path(REQUESTS), watchUnit(UNIT, bus()));
      await swapTo("crashing");
      // The process was started, and that is all the host's script can know.
      expect(await reloader.reload(reloading(), never)).toEqual({ ok: true });
      let words: string | null = null;
      await eventually("it is told", async () => (words = (await reloader.isCrashing?.(never)) ?? null) !== null);
      expect(words).toMatch(/started again \d+ times/);
    });

    test("without the path unit nobody answers: that is told, and the request is withdrawn", async () => {
      await sh("systemctl stop context-edge-restart.path");
      const before = await invocation();
      const result = await overPath().reload(reloading(1_500), never);
      await sh("systemctl start context-edge-restart.path");
      expect(result).toMatchObject({ ok: false, mishap: { message: expect.stringContaining("path unit") } });
      expect(await invocation()).toBe(before);
    });
  });

  describe("D-Bus", () => {
    test("restarts the unit: when the call returns, another process serves", async () => {
      for (const words of ["v2", "v4", "v5"]) {
        const before = await invocation();
        await swapTo(words);
        expect(await overBus().reload(reloading(), never)).toEqual({ ok: true });
        expect(await invocation()).not.toBe(before);
        await eventually(`${words} is served`, async () => (await served()) === words);
      }
    });

    test("knows a unit the host does not have before anything is switched", async () => {
      expect(await overBus().obstacle?.(never)).toBeNull();
      expect(await dbusReloader("no-such.service", bus()).obstacle?.(never)).toMatchObject({
        message: expect.stringContaining("has no unit no-such.service"),
      });
    });

    test("works from inside the machine too", async () => {
      await swapTo("v6");
      const { stdout, stderr } = await machine.run(NODE, INSIDE, "dbus", UNIT);
      expect(stdout === "" ? stderr : JSON.parse(stdout)).toEqual({ ok: true });
      await eventually("v6 is served", async () => (await served()) === "v6");
    });

    test("is refused to an ordinary user, and the words say what is missing", async () => {
      const before = await invocation();
      const { stdout } = await machine.run(
        "setpriv",
        "--reuid=context-edge",
        "--clear-groups",
        NODE,
        INSIDE,
        "dbus",
        UNIT,
      );
      expect(JSON.parse(stdout)).toMatchObject({
        ok: false,
        mishap: { message: expect.stringContaining("root or a polkit rule") },
      });
      expect(await invocation()).toBe(before);
    });

    test("fault 40: a unit that does not start is told", async () => {
      await swapTo("refused");
      expect(await overBus().reload(reloading(10_000), never)).toMatchObject({
        ok: false,
        mishap: { code: "RELOAD_FAILED" },
      });
    });

    test("fault 42: a crash loop is told long before the budget is over", async () => {
      await swapTo("crashing");
      const reloader = overBus();
      // The process starts, so the reload itself may well be ok: it is the looks afterwards that find out.
      const result = await reloader.reload(reloading(), never);
      let words = result.ok ? null : result.mishap.message;
      await eventually("it is told", async () => (words ??= (await reloader.isCrashing?.(never)) ?? null) !== null);
      expect(words).toMatch(/started again \d+ times|failed/);
    });

    test("a start limit that was reached does not keep the old file from coming back", async () => {
      await put(
        machine,
        `/etc/systemd/system/${UNIT}.d/limit.conf`,
        "[Unit]\nStartLimitIntervalSec=120\nStartLimitBurst=2\n",
      );
      await sh("systemctl daemon-reload");
      await swapTo("crashing");
      await sh(`systemctl restart ${UNIT}`);
      const state = async () => (await machine.run("systemctl", "is-active", UNIT)).stdout.trim();
      await eventually("systemd gave up", async () => (await state()) === "failed", 30_000);
      await swapTo("v7");
      const result = await overBus().reload(reloading(), never);
      await rm(machine.path(`/etc/systemd/system/${UNIT}.d/limit.conf`));
      await sh("systemctl daemon-reload");
      expect(result).toEqual({ ok: true });
      await eventually("v7 is served", async () => (await served()) === "v7");
    });

    test("a service that shall serve nothing is stopped", async () => {
      expect(await overBus().reload({ ...reloading(), file: null }, never)).toEqual({ ok: true });
      expect((await machine.run("systemctl", "is-active", UNIT)).stdout.trim()).toBe("inactive");
    });
  });
});
