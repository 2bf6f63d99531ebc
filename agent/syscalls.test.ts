// The discipline of the disk, read from the system calls themselves: what is renamed was synced, its directory is synced after,
// and a kill at any call that touches the current link leaves a whole model. Needs strace.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeModel } from "./testing/fake-model.ts";
import { type TestDevice, testDevice } from "./testing/test-device.ts";

const STRACE = ["/usr/bin/strace", "/usr/local/bin/strace"].find((path) => existsSync(path));
if (STRACE === undefined) console.log("syscalls.test.ts: not run, strace is not installed");
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" });
let device: TestDevice;
beforeEach(async () => {
  device = await testDevice();
});
afterEach(() => device.close());

/** One `once` of the agent under strace. @returns the trace */
async function traced(...options: string[]): Promise<string> {
  const output = join(device.dir, "..", "trace.txt");
  const argv = ["-f", "-y", "-qq", "-s", "300", "-o", output, ...options, process.execPath, MAIN, "once"];
  // One thread for the disk, so that calls come in the order they were asked for.
  const env = { ...process.env, ...device.environment, UV_THREADPOOL_SIZE: "1" };
  const child = spawn(STRACE ?? "", argv, { env, stdio: "ignore" });
  await once(child, "exit");
  return readFile(output, "utf8");
}

interface Call {
  name: string;
  /** Paths in the order they stand in the call. */
  paths: string[];
}

function callsIn(trace: string): Call[] {
  const lines = trace.matchAll(/^\d+ +(?<name>rename|fsync|fdatasync|symlink|write|pwrite64)\((?<rest>.*)\) += \d+/gm);
  return [...lines].map(({ groups }) => {
    const rest = groups?.["rest"] ?? "";
    const paths = [...rest.matchAll(/<(\/[^>]*)>|"([^"]*)"/g)].map((match) => match[1] ?? match[2] ?? "");
    return { name: groups?.["name"] ?? "", paths };
  });
}

test.runIf(STRACE)(
  "every file is synced before it is renamed, and its directory after",
  async () => {
    device.hub.offer(good);
    await device.once();
    device.hub.offer(better);
    const calls = callsIn(await traced("-e", "trace=rename,fsync,fdatasync,symlink,write,pwrite64"));
    const renames = calls.flatMap((call, at) =>
      call.name === "rename" ? [{ from: call.paths[0] ?? "", to: call.paths[1] ?? "", at }] : [],
    );
    expect(renames.map(({ to }) => basename(to))).toEqual(
      expect.arrayContaining([
        "journal.json",
        "outbox.json",
        "history.json",
        "model-v2.1.onnx",
        "current.onnx",
        "current.onnx.backup",
      ]),
    );
    for (const { from, to, at } of renames) {
      const isOf = (call: Call) => call.paths[0] === from;
      const written = calls.slice(0, at).findLastIndex((call) => isOf(call) && call.name.includes("write"));
      const synced = calls.slice(0, at).findLastIndex((call) => isOf(call) && call.name.includes("sync"));
      expect.soft(synced, `${from} is synced after it was last written`).toBeGreaterThanOrEqual(written);
      // The predecessor of a checked file is renamed just before the file itself; one sync covers both.
      const next = calls.slice(at + 1).find((call) => call.name !== "write");
      const isCovered =
        next?.name === "fsync" ? next.paths[0] === dirname(to) : to.endsWith(".previous") && next?.name === "rename";
      expect.soft(isCovered, `the directory of ${to} is synced at once`).toBe(true);
    }
  },
  60_000,
);

test.runIf(STRACE)(
  "the journal of a swap is on the disk before a link is touched, the backup before the current link",
  async () => {
    device.hub.offer(good);
    await device.once();
    device.hub.offer(better);
    const calls = callsIn(await traced("-e", "trace=rename,fsync"));
    const order = calls.flatMap(({ name, paths }) => (name === "rename" ? [basename(paths[1] ?? "")] : []));
    const backup = order.indexOf("current.onnx.backup");
    expect(order[backup - 1]).toBe("journal.json");
    expect(order.indexOf("current.onnx")).toBe(backup + 1);
    expect(order.indexOf("model-v2.1.onnx")).toBeLessThan(backup);
  },
  60_000,
);

test.runIf(STRACE).each(["symlink", "unlink", "rename"])(
  "killed at the %s that touches the current link, the link leads to a whole model",
  async (name) => {
    device.hub.offer(good);
    await device.once();
    device.hub.offer(better);
    const touching = ["-P", join(device.dir, "current.onnx"), "-P", join(device.dir, ".current.onnx.next")];
    await traced("-e", `trace=${name}`, ...touching, "-e", `inject=${name}:signal=SIGKILL:when=1`);
    const bytes = await readFile(join(device.dir, "current.onnx"));
    expect([good.digest, better.digest]).toContain(createHash("sha256").update(bytes).digest("hex"));
    await device.once();
    expect(await device.current()).toBe("model-v2.1.onnx");
    expect(device.hub.outcomes).toHaveLength(2);
  },
  60_000,
);
