// What the agent's ordinary user can and cannot do on a booted host: the polkit rule lets it restart one unit, the request directory nothing else.
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { eventually } from "@context-edge/agent/testing/test-device.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { boot, type Machine, put } from "./machine.ts";

const why = inject("obstacle");

const UNIT = "context-edge-inference.service";
const REQUESTS = "/opt/context-edge/requests";
const APP = "/opt/context-edge/app";
const SERVICE = "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n";

let machine: Machine;
const sh = (script: string) => machine.run("sh", "-c", script);
const asAgent = (script: string) =>
  machine.run("setpriv", "--reuid=context-edge", "--clear-groups", "sh", "-c", script);
const show = async (unit: string, property: string) =>
  (await machine.run("systemctl", "show", "-P", property, unit)).stdout.trim();
const invocation = (unit = UNIT) => show(unit, "InvocationID");
const isThere = (path: string) => existsSync(machine.path(path));

describe.skipIf(why !== "")("the agent's user on a booted host", () => {
  beforeAll(async () => {
    machine = await boot();
    await sh("useradd --system context-edge");
    await mkdir(machine.path(REQUESTS), { recursive: true });
    await sh(`chown context-edge: ${REQUESTS}`);
    for (const unit of [UNIT, "other.service"]) await put(machine, `/etc/systemd/system/${unit}`, SERVICE);
    await sh(
      `cp ${APP}/systemd/context-edge-restart.path ${APP}/systemd/context-edge-restart.service /etc/systemd/system/`,
    );
    await sh(`install -D -m 755 ${APP}/systemd/restart-inference /usr/local/lib/context-edge/restart-inference`);
    const started = await sh(
      `systemctl daemon-reload; systemctl start context-edge-restart.path other.service ${UNIT}`,
    );
    if (started.exitCode !== 0) throw new Error(`the units could not be started: ${started.stderr}`);
  });
  afterAll(() => machine?.halt());
  beforeEach(async () => void (await sh(`rm -rf ${REQUESTS}/* ${REQUESTS}/.result.next`)));

  const untilAnswered = () =>
    eventually("the host took the request and is done", async () => {
      const isIdle = (await show("context-edge-restart.service", "ActiveState")) !== "activating";
      return (
        isIdle && !(await sh(`test -e ${REQUESTS}/restart -o -L ${REQUESTS}/restart`).then((end) => end.exitCode === 0))
      );
    });

  test("a link in the place of the result has root write nothing but the result", async () => {
    await sh("echo precious > /etc/precious");
    await asAgent(
      `ln -s /etc/precious ${REQUESTS}/.result.next; ln -s /etc/precious ${REQUESTS}/result; echo an-id > ${REQUESTS}/restart`,
    );
    await eventually("it is answered", async () => (await sh(`cat ${REQUESTS}/result`)).stdout === "an-id ok\n");
    expect(await readFile(machine.path("/etc/precious"), "utf8")).toBe("precious\n");
  });

  test("a link in the place of the request tells nothing of what root can read, and restarts nothing", async () => {
    const before = await invocation();
    await asAgent(`ln -s /etc/shadow ${REQUESTS}/restart`);
    await untilAnswered();
    expect(isThere(`${REQUESTS}/result`)).toBe(false);
    expect(await invocation()).toBe(before);
  });

  test("a pipe in the place of the request does not keep the host from answering the next", async () => {
    await asAgent(`mkfifo ${REQUESTS}/restart`);
    await untilAnswered();
    await asAgent(`echo another-id > ${REQUESTS}/restart`);
    await eventually(
      "the next is answered",
      async () => (await sh(`cat ${REQUESTS}/result`)).stdout === "another-id ok\n",
    );
  });

  test("the polkit rule lets it restart the inference unit over D-Bus, and no other", async ({ skip }) => {
    if (!isThere("/usr/lib/polkit-1/polkitd")) {
      process.stderr.write("SKIPPED: the polkit rule was not tried, the root directory has no polkitd.\n");
      return skip();
    }
    const restart = (unit: string) =>
      asAgent(
        `busctl --timeout=10 call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager RestartUnit ss ${unit} replace`,
      );
    expect((await restart(UNIT)).exitCode).not.toBe(0);
    await sh(`cp ${APP}/systemd/50-context-edge.rules /etc/polkit-1/rules.d/ && systemctl restart polkit.service`);
    const before = [await invocation(), await invocation("other.service")];
    expect(await restart(UNIT)).toMatchObject({ exitCode: 0 });
    expect((await restart("other.service")).exitCode).not.toBe(0);
    await eventually("it was restarted", async () => (await invocation()) !== before[0]);
    expect(await invocation("other.service")).toBe(before[1]);
  });
});
