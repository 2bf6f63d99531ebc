// A systemd of one unit on a message bus of its own: the real dbus-daemon, a service that answers as org.freedesktop.systemd1.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createClient, defineInterface } from "dbus-native";
import { onTestFinished } from "vitest";
import { tempDir } from "./temp-dir.ts";

export const DBUS_DAEMON = ["/usr/bin/dbus-daemon", "/bin/dbus-daemon"].find((path) => existsSync(path));

export interface FakeSystemd {
  address: string;
  /** Calls of the manager, in order: `RestartUnit context-edge-inference.service`. */
  calls: string[];
  unit: { activeState: string; subState: string; restarts: number };
  loadState: string;
  /** A restart is answered when it is queued: until a test takes this back, the old process runs on. */
  isQueued: boolean;
  /** What a restart does to the unit; a test's own. */
  onRestart(): void;
  /** Refuses RestartUnit with this error. */
  denied: string | null;
}

const CONFIG = (socket: string) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`;

export async function fakeSystemd(): Promise<FakeSystemd> {
  const dir = await tempDir();
  const socket = join(dir, "bus");
  await writeFile(join(dir, "bus.conf"), CONFIG(socket));
  const daemon = spawn(DBUS_DAEMON ?? "", [`--config-file=${join(dir, "bus.conf")}`, "--nofork", "--print-address"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void daemon.kill("SIGKILL"));
  const address = (await firstLine(daemon)).split(",guid=")[0] ?? "";
  const fake: FakeSystemd = {
    address,
    calls: [],
    unit: { activeState: "active", subState: "running", restarts: 4 },
    onRestart() {
      fake.unit = { activeState: "active", subState: "running", restarts: 0 };
    },
    loadState: "loaded",
    isQueued: false,
    denied: null,
  };
  /** Counts the starts of the unit. */
  let invocation = 1;
  let isLate = false;
  const started = () => {
    invocation += 1;
    fake.onRestart();
  };
  const bus = createClient({ busAddress: address });
  onTestFinished(() => void bus.connection.end());
  await bus.requestName("org.freedesktop.systemd1", 0);
  const act = (verb: "RestartUnit" | "StopUnit") => ({
    in: { unit: "s", mode: "s" },
    out: { job: "o" },
    handler({ unit }: { unit: string }) {
      if (fake.denied !== null) throw Object.assign(new Error("denied"), { dbusName: fake.denied });
      fake.calls.push(`${verb} ${unit}`);
      isLate = verb === "RestartUnit" && fake.isQueued;
      if (isLate) return JOB_PATH;
      if (verb === "RestartUnit") started();
      else fake.unit = { ...fake.unit, activeState: "inactive", subState: "dead" };
      return JOB_PATH;
    },
  });
  const manager = defineInterface({
    name: "org.freedesktop.systemd1.Manager",
    methods: {
      ResetFailedUnit: {
        in: { unit: "s" },
        handler: ({ unit }: { unit: string }) => void fake.calls.push(`ResetFailedUnit ${unit}`),
      },
      LoadUnit: { in: { unit: "s" }, out: { path: "o" }, handler: () => UNIT_PATH },
      RestartUnit: act("RestartUnit"),
      StopUnit: act("StopUnit"),
    },
  });
  const read = (type: string, get: () => unknown) => ({ type, access: "read" as const, get });
  const unit = defineInterface({
    name: "org.freedesktop.systemd1.Unit",
    properties: {
      ActiveState: read("s", () => fake.unit.activeState),
      SubState: read("s", () => fake.unit.subState),
      LoadState: read("s", () => fake.loadState),
      InvocationID: read("ay", () => Buffer.from([invocation])),
      Job: read("(uo)", () => {
        if (isLate && !fake.isQueued) {
          isLate = false;
          started();
        }
        return isLate ? [1, JOB_PATH] : [0, "/"];
      }),
    },
  });
  const service = defineInterface({
    name: "org.freedesktop.systemd1.Service",
    properties: { NRestarts: read("u", () => fake.unit.restarts) },
  });
  await bus.export("/org/freedesktop/systemd1", manager);
  await bus.export(UNIT_PATH, unit);
  await bus.export(UNIT_PATH, service);
  return fake;
}

const JOB_PATH = "/org/freedesktop/systemd1/job/1";
const UNIT_PATH = "/org/freedesktop/systemd1/unit/inference";

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    if (child.stdout) createInterface({ input: child.stdout }).once("line", resolve);
  });
}
