// A device's life under its shipped units, by the commands of the pages: installed, deployed to, failed, frozen, without power, upgraded, removed.
import { rmSync } from "node:fs";
import { eventually } from "@context-edge/agent/testing/test-device.ts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { fleetInside, installHub } from "./fleet-inside.ts";
import { boot, type Machine, makeDisk, put } from "./machine.ts";
import { carry, nextRelease } from "./release.ts";
import { stepsOf } from "./steps.ts";

const AGENT = "context-edge-agent.service";
const INFERENCE = "context-edge-inference.service";
const RELEASE = "/root/device/context-edge-agent-0.1.0-linux-arm64";
/** Everything of the machine but what it writes itself, and what this test brings. */
const FILES = String.raw`find / -xdev \( -path /proc -o -path /var -o -path /root -o -path /tmp -o -path /opt/context-edge/app \) -prune -o \
  ! -name 'passwd-' ! -name 'group-' ! -name '*shadow-' -print | sort`;

let machine: Machine;
let disk: string;
let before: string[];
const inside = fleetInside(() => machine);
const { paste, publish, deploy, device } = inside;
const model = async () => (await device()).models["default"];
const show = async (property: string, unit = AGENT) =>
  (await machine.run("systemctl", "show", "-P", property, unit)).stdout.trim();
const files = async () => (await machine.run("sh", "-c", FILES)).stdout.split("\n");
const until = (what: string, holds: () => Promise<boolean>) =>
  eventually(what, () => holds().catch(() => false), 60_000);
const untilRuns = (version: string) =>
  until(`${version} runs and is told`, async () => {
    const { sync, phase, models } = await device();
    return phase === "idle" && sync === "in-sync" && models["default"]?.current?.version === version;
  });
const untilPhase = (phase: string) => until(`the device is ${phase}`, async () => (await statusOf()).phase === phase);
/** The device's own word, without the hub. */
async function statusOf(): Promise<{ phase: string }> {
  return JSON.parse(await paste("curl -fsS http://127.0.0.1:9090/status.json")) as { phase: string };
}
const served = async () => {
  const metadata = await paste("curl -fsS http://127.0.0.1:8001/v2/models/default");
  return (JSON.parse(metadata) as { parameters: { file: string } }).parameters.file;
};

describe.skipIf(inject("obstacle") !== "")("a device's life", { timeout: 240_000 }, () => {
  beforeAll(async () => {
    disk = await makeDisk();
    machine = await boot(disk);
    await installHub(machine, inside);
    before = await files();
    carry(machine, inject("archive"), "/root/device");
    // The page names the archive for Jetsons; what a machine of another kind runs is its own.
    await paste(
      "cd device; for one in *.tar.gz; do case $one in *arm64*) ;; *) tar xzf $one; mv ${one%.tar.gz} context-edge-agent-0.1.0-linux-arm64; tar czf context-edge-agent-0.1.0-linux-arm64.tar.gz context-edge-agent-*-arm64; rm -rf $one context-edge-agent-0.1.0-linux-arm64 ;; esac; done; cp /root/release.pub.pem .",
    );
  });
  afterAll(async () => {
    await machine?.halt();
    if (disk) rmSync(disk, { recursive: true, force: true });
  });

  test("the hub is installed by its page, is watched, and says where to begin", async () => {
    expect(await show("Type", "context-edge-hub.service")).toBe("notify");
    expect(await show("StatusText", "context-edge-hub.service")).toContain("listens on http");
    expect(await paste("context-edge-hub user link")).toMatch(/\/setup#cel_/);
    const journal = await paste("journalctl --no-pager -u context-edge-hub.service -o cat");
    expect(journal).toContain("user link");
    expect(journal, "whoever reads the journal must not become admin by it").not.toContain("#cel_");
  });

  test("the agent is installed by its page, enrols, and needs nothing but its own files", async () => {
    for (const script of stepsOf("install-jetson.md", "Collect the files")) await paste(script, "/root/device");
    for (const script of stepsOf("install-jetson.md", "Install")) {
      await paste(
        script.replaceAll("https://hub.example.internal", "http://127.0.0.1:8000 --device edge-001"),
        "/root/device",
      );
    }
    for (const script of stepsOf("install-jetson.md", "The inference service")) await paste(script, RELEASE);
    await until("it has enrolled", async () => (await device()).online);
    for (const script of stepsOf("install-jetson.md", "Change a setting")) await paste(script, RELEASE);
    expect(await show("ActiveState")).toBe("active");
  });

  test("a first version and a better one are committed, each by a restart of the service through the path unit", async () => {
    let invocation = await show("InvocationID", INFERENCE);
    for (const version of ["v2.0", "v2.1"]) {
      await publish(version);
      await deploy(version);
      await untilRuns(version);
      expect((await model())?.last_outcome).toMatchObject({ version, outcome: "committed" });
      const now = await show("InvocationID", INFERENCE);
      expect(now).not.toBe(invocation);
      invocation = now;
      expect(await served()).toBe(`model-${version}.onnx`);
    }
    for (const script of stepsOf("install-jetson.md", "See that it works")) await paste(script, RELEASE);
  });

  test("a version with wrong answers goes back, and the journal says so among the warnings, in one line", async () => {
    await publish("v2.3");
    await deploy("v2.3");
    await until("it is rolled back", async () => (await model())?.last_outcome?.outcome === "rolled-back");
    expect((await model())?.current?.version).toBe("v2.1");
    expect(await served()).toBe("model-v2.1.onnx");
    const warnings = await paste(`journalctl --no-pager -u ${AGENT} -p warning -o cat`);
    expect(warnings).toMatch(/v2\.3.*GOLDEN_MISMATCH|GOLDEN_MISMATCH.*v2\.3/);
    expect(warnings).not.toContain('{"level"');
  });

  test("an agent that is frozen in mid-swap is killed by the watchdog, begins anew, and ends its transaction", async () => {
    await put(machine, `/etc/systemd/system/${AGENT}.d/watchdog.conf`, "[Service]\nWatchdogSec=6\nTimeoutAbortSec=2\n");
    await paste(`systemctl daemon-reload; systemctl restart ${AGENT}`);
    await deploy("v2.0");
    await untilPhase("soaking");
    const frozen = await show("MainPID");
    const restarts = Number(await show("NRestarts"));
    await paste(`kill -STOP ${frozen}`);
    await until("another process runs", async () => ![frozen, "0"].includes(await show("MainPID")));
    expect(Number(await show("NRestarts"))).toBe(restarts + 1);
    expect(await paste(`journalctl --no-pager -u ${AGENT} -o cat`)).toContain("Watchdog timeout");
    await untilRuns("v2.0");
  });

  test("an agent that waits, probes and soaks for longer than the watchdog's time is left alone", async () => {
    const process = await show("MainPID");
    await deploy("v2.1");
    await untilRuns("v2.1");
    await until("the watchdog's time is over twice", async () => {
      const since =
        Number(await paste(`cut -d. -f1 /proc/uptime`)) - Number(await show("ExecMainStartTimestampMonotonic")) / 1e6;
      return since > 12;
    });
    expect(await show("MainPID")).toBe(process);
    await paste(`rm -r /etc/systemd/system/${AGENT}.d; systemctl daemon-reload`);
  });

  test.each([
    ["the power went", "probing"],
    ["the power went", "soaking"],
    ["it was rebooted", "probing"],
  ])("after %s while it was %s, device and hub come back and the version settles", async (how, phase) => {
    const from = (await model())?.current?.version;
    const to = from === "v2.0" ? "v2.1" : "v2.0";
    await deploy(to);
    await untilPhase(phase);
    await (how === "it was rebooted" ? machine.halt() : machine.cutPower());
    machine = await boot(disk);
    await untilRuns(to);
    expect((await model())?.last_outcome).toMatchObject({ version: to, outcome: "committed" });
    expect(await served()).toBe(`model-${to}.onnx`);
  });

  test("an upgrade in mid-swap takes over from the old release, and --rollback brings that back", async () => {
    const next = nextRelease(machine, RELEASE, "0.2.0-next");
    const at = (name: string) => paste(`readlink -f /opt/context-edge/agent/${name}`);
    const old = await at("current");
    const to = (await model())?.current?.version === "v2.0" ? "v2.1" : "v2.0";
    await deploy(to);
    await untilPhase("soaking");
    const [upgrade = "", back = ""] = stepsOf("upgrade.md", "A device");
    expect(await paste(upgrade, next)).toContain("is ready");
    expect(await at("current")).toContain("0.2.0-next");
    expect(await at("previous")).toBe(old);
    await untilRuns(to);
    expect(await paste(`readlink /proc/${await show("MainPID")}/exe`)).toContain("0.2.0-next");
    await paste(back, next);
    expect(await at("current")).toBe(old);
    await until("the device is back", async () => (await device()).online && (await statusOf()).phase === "idle");
    expect(await served()).toBe(`model-${to}.onnx`);
  });

  test("the hub's units are put in place again by the page, and it comes back as it was", async () => {
    await paste("cd /root; context-edge-hub backup /var/backups/context-edge/before-upgrade.sqlite");
    for (const script of stepsOf("upgrade.md", "The hub")) await paste(script);
    await until("the device is online", async () => (await device()).online);
  });

  test.each([
    ["agent", 1.5],
    ["hub", 1.5],
    ["backup", 0.6],
    ["restart", 1.8],
    ["inference", 3.6],
  ])("the exposure of %s's unit is at most %f of 10", async (unit, most) => {
    if (unit === "backup") await paste("systemctl start context-edge-backup.service");
    const said = await paste(`systemd-analyze security --no-pager context-edge-${unit}.service | tail -n 1`);
    expect(Number(/: (\d+\.\d) /.exec(said)?.[1])).toBeLessThanOrEqual(most);
  });

  test("removed by its page, it leaves the machine as it was, with the models, and the service goes on", async () => {
    const serving = await served();
    const process = await show("MainPID", INFERENCE);
    for (const script of stepsOf("install-jetson.md", "Upgrade and remove")) {
      expect(await paste(script, RELEASE)).toContain("agent.env is kept: it was changed by hand");
    }
    const added = (await files()).filter((file) => !before.includes(file));
    expect(added.filter((file) => !file.startsWith("/opt/context-edge/models"))).toEqual([
      "/etc/context-edge/agent.env",
      `/etc/systemd/system/${INFERENCE}`,
      `/etc/systemd/system/multi-user.target.wants/${INFERENCE}`,
    ]);
    expect(added).toContain(`/opt/context-edge/models/${serving}`);
    expect(added).toContain("/opt/context-edge/models/.agent/identity.json");
    expect(before.filter((file) => !added.includes(file)).length).toBeGreaterThan(0);
    expect([await served(), await show("MainPID", INFERENCE)]).toEqual([serving, process]);
    await paste("./install.sh --uninstall --purge", RELEASE);
    expect((await files()).filter((file) => file.startsWith("/opt/context-edge/models"))).toEqual([]);
  });
});
