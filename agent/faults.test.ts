// Faults of disk, slots, papers and clock that a whole device must come out of: each is made to happen, and the end is looked at.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deviceClock } from "./effects/clock.ts";
import { openDocuments } from "./effects/documents.ts";
import { fakeModel } from "./testing/fake-model.ts";
import { sealManifest, targetOf } from "./testing/signing.ts";
import { eventually, type TestDevice, testDevice } from "./testing/test-device.ts";

const STRACE = ["/usr/bin/strace", "/usr/local/bin/strace"].find((path) => existsSync(path));
if (STRACE === undefined)
  console.log("faults.test.ts: errors of single system calls not tested, strace is not installed");
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" });
const third = fakeModel({ version: "v2.2" });

let device: TestDevice;
beforeEach(async () => {
  device = await testDevice();
});
afterEach(() => device.close());

async function install(...models: (typeof good)[]): Promise<void> {
  for (const model of models) {
    device.hub.offer(model);
    expect(await device.once()).toBe(true);
  }
}
const last = () => device.hub.outcomes.at(-1);
const inModels = (name: string) => join(device.dir, name);

/** One `once` with every such call on these paths failing. */
async function onceWith(calls: string, errno: string, ...paths: string[]): Promise<void> {
  const inject = ["-f", "-qq", "-o", "/dev/null", ...paths.flatMap((path) => ["-P", path])];
  const env = { ...process.env, ...device.environment, UV_THREADPOOL_SIZE: "1" };
  const argv = [
    ...inject,
    "-e",
    `trace=${calls}`,
    "-e",
    `inject=${calls}:error=${errno}`,
    process.execPath,
    MAIN,
    "once",
  ];
  await once(spawn(STRACE ?? "", argv, { env, stdio: "ignore" }), "exit");
}

describe("the journal's own disk", () => {
  test.runIf(STRACE).each([
    ["fault 6: a disk that is full for the journal", "write,pwrite64", "ENOSPC"],
    ["fault 7: an fsync of the journal that fails", "fsync,fdatasync", "EIO"],
    ["fault 8: a disk that was remounted read-only", "openat", "EROFS"],
  ])(
    "%s means no swap, and the next start goes on",
    async (_, calls, errno) => {
      await install(good);
      device.hub.offer(better);
      await onceWith(calls, errno, join(device.dir, ".agent", "journal.json.tmp"));
      expect(await device.current()).toBe("model-v2.0.onnx");
      expect(device.inference.served()).toBe(good.digest);
      expect(await device.once()).toBe(true);
      expect(await device.current()).toBe("model-v2.1.onnx");
    },
    60_000,
  );

  test.runIf(STRACE)(
    "fault 8: a read-only models directory is told to the hub while what runs goes on",
    async () => {
      await install(good);
      device.hub.offer(better);
      await onceWith("openat", "EROFS", join(device.dir, ".agent", "partial", `${better.digest}.part`));
      expect(device.hub.observed.at(-1)).toMatchObject({
        trouble: { code: "DISK_READ_ONLY" },
        models: { default: { current: { version: "v2.0" }, waiting: { for: "retry" } } },
      });
      expect(device.inference.served()).toBe(good.digest);
      const running = await device.start();
      try {
        await eventually("it is tried again", async () => (await device.current()) === "model-v2.1.onnx");
      } finally {
        await running.stop();
      }
    },
    60_000,
  );
});

describe("slots that were changed under the agent", () => {
  test("fault 15: a current link that dangles gets the backup back, proved and told", async () => {
    await install(good, better);
    await rm(inModels("model-v2.1.onnx"), { force: true });
    await device.once();
    expect(device.hub.outcomes.map(({ code }) => code)).toContain("CURRENT_MISSING");
    // The wanted version is fetched again by itself.
    await eventually("v2.1 is back", async () => {
      await device.once();
      return (await device.current()) === "model-v2.1.onnx";
    });
    expect(device.inference.served()).toBe(better.digest);
  });

  test("fault 14: a blob with a flipped bit is noticed at the next start and replaced by the backup", async () => {
    await install(good, better);
    const path = inModels("model-v2.1.onnx");
    const bytes = await readFile(path);
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1;
    await chmod(path, 0o644);
    await writeFile(path, bytes);
    await device.once();
    expect(device.hub.outcomes.map(({ code }) => code)).toContain("CURRENT_DAMAGED");
    expect([good.digest, better.digest]).toContain(device.inference.served());
  });

  test("fault 15: a link removed by hand is noticed within one cycle of the running agent", async () => {
    await install(good, better);
    const running = await device.start();
    try {
      const told = device.hub.observed.length;
      await eventually("the agent runs", () => device.hub.observed.length > told);
      await unlink(inModels("current.onnx"));
      running.agent.actions.check();
      await eventually("a whole model is served again", async () => (await device.current()) !== null);
      expect(["model-v2.0.onnx", "model-v2.1.onnx"]).toContain(await device.current());
    } finally {
      await running.stop();
    }
  });

  test("fault 16: without a backup the next version is installed all the same, and what ran becomes the backup", async () => {
    await install(good, better);
    await unlink(inModels("current.onnx.backup"));
    device.hub.offer(third);
    expect(await device.once()).toBe(true);
    expect(await device.backup()).toBe("model-v2.1.onnx");
  });

  test("fault 17: with both gone the device fetches what the hub wants again", async () => {
    await install(good, better);
    for (const name of ["model-v2.0.onnx", "model-v2.1.onnx"]) await rm(inModels(name), { force: true });
    await eventually("a whole model is there", async () => {
      await device.once();
      return (await device.current()) === "model-v2.1.onnx" && existsSync(inModels("model-v2.1.onnx"));
    });
    expect(device.inference.served()).toBe(better.digest);
  });

  test("a slot the agent does not understand is left alone and told", async () => {
    await install(good);
    await unlink(inModels("current.onnx"));
    await symlink("../elsewhere.onnx", inModels("current.onnx"));
    device.hub.offer(better);
    await device.once();
    expect(await device.current()).toBe("../elsewhere.onnx");
    expect(device.hub.observed.at(-1)?.trouble?.code).toBe("SLOT_FOREIGN");
  });

  test("space is given back after the commit: only current and backup stay", async () => {
    await install(good, better, third);
    const files = (await readdir(device.dir)).filter((name) => name.startsWith("model-"));
    expect(files.toSorted()).toEqual(["model-v2.1.onnx", "model-v2.2.onnx"]);
    expect(await readdir(inModels(join(".agent", "partial")))).toEqual([]);
  });
});

describe("papers and clocks", () => {
  test("fault 37: two manifests of one number are an alarm, and the first stays in force", async () => {
    await install(good);
    const { hubKey, releaseKey } = device.hub;
    device.hub.publish(sealManifest(2, [targetOf(better, releaseKey)], hubKey));
    await device.once();
    expect(device.inference.served()).toBe(good.digest);
    expect(device.hub.observed.at(-1)?.trouble?.code).toBe("MANIFEST_EQUIVOCATED");
  });

  test("fault 22: a clock ten years ahead refuses to install from old papers, and recovers with the clock", async () => {
    await install(good);
    const path = join(device.dir, ".agent", "documents.json");
    const trust = { device: "edge-001", hubKeys: [device.hub.hubKey.publicKey] };
    let wall = Date.now() + 10 * 365 * 86_400_000;
    const documents = await openDocuments(
      path,
      trust,
      deviceClock(
        () => wall,
        () => 0,
      ),
    );
    const fresh = sealManifest(99, [targetOf(better, device.hub.releaseKey)], device.hub.hubKey);
    expect(await documents.offerManifest(fresh, null)).toMatchObject({ code: "MANIFEST_EXPIRED" });
    wall = Date.now();
    expect(await documents.offerManifest(fresh, null)).toBeNull();
  });

  test("fault 23: a clock that jumps during a probe changes no figure", async () => {
    await install(good);
    device.hub.offer(better);
    const real = Date.now;
    let jumps = 0;
    // Every look at the wall clock lands twenty minutes away from the one before.
    Date.now = () => real() + (jumps++ % 2) * 20 * 60_000;
    try {
      await device.once();
    } finally {
      Date.now = real;
    }
    expect(last()).toMatchObject({ version: "v2.1", code: "OK" });
    expect(last()?.evidence.candidate?.max_ms).toBeLessThan(10_000);
  });
});

describe("several models on one device", () => {
  const vision = fakeModel({ version: "v5" });

  test("each has a folder, links and a journal of its own, and one failing does not touch the other", async () => {
    const { hubKey, releaseKey } = device.hub;
    device.environment["AGENT_LINK_NAMES"] = "vision=current.engine";
    device.hub.offer(good);
    device.hub.replaceArtifact(vision, Buffer.concat([vision.bytes.subarray(1), Buffer.from("x")]));
    const both = [targetOf(good, releaseKey), targetOf(vision, releaseKey, { model: "vision" })];
    device.hub.publish(sealManifest(50, both, hubKey));
    await device.once();
    expect(await device.current()).toBe("model-v2.0.onnx");
    expect(device.hub.outcomes.map(({ model, outcome }) => `${model} ${outcome}`).toSorted()).toEqual([
      "default committed",
      "vision rejected",
    ]);
    expect(Object.keys(device.hub.observed.at(-1)?.models ?? {}).toSorted()).toEqual(["default", "vision"]);
  });
});
