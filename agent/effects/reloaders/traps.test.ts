// What each reloader must know of its own world: other nodes' pods, loads that do nothing, start limits, missing rights.
import { writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeKubernetes } from "../../testing/fake-kubernetes.ts";
import { DBUS_DAEMON, type FakeSystemd, fakeSystemd } from "../../testing/fake-systemd.ts";
import { kubernetesOf, loads, tritonThat } from "../../testing/reloaders.ts";
import { tempDir } from "../../testing/temp-dir.ts";
import { eventually } from "../../testing/test-device.ts";
import { clusterAccess } from "./cluster-access.ts";
import { dbusReloader } from "./dbus.ts";
import type { Reloader } from "./reloader.ts";
import { systemdPathReloader } from "./systemd-path.ts";
import { watchUnit } from "./unit-watch.ts";

if (DBUS_DAEMON === undefined) console.log("traps.test.ts: D-Bus not tested, dbus-daemon is not installed");
const UNIT = "context-edge-inference.service";
const file = { file: "model-v2.1.trt", version: "v2.1", digest: "a".repeat(64) };
const never = new AbortController().signal;

describe("Kubernetes", () => {
  const asked = (reloader: Reloader, budgetMs = 5_000) =>
    reloader.reload({ model: "default", file, link: "/models/current.trt", budgetMs }, never);

  test("pods of other nodes are never touched, whatever the server makes of the selector", async () => {
    const cluster = await fakeKubernetes(["jetson-1", "jetson-2"]);
    expect(await asked(kubernetesOf(cluster))).toEqual({ ok: true });
    expect(cluster.deleted).toEqual(["inference-jetson-1"]);
  });

  test("fault 49: an API that is down is told before anything was deleted", async () => {
    const cluster = await fakeKubernetes(["jetson-1"]);
    const result = await asked(kubernetesOf({ ...cluster, url: "http://127.0.0.1:9" }));
    expect(result).toMatchObject({ ok: false, mishap: { message: expect.stringContaining("cannot be reached") } });
    expect(cluster.deleted).toEqual([]);
  });

  test.each([
    ["GET", "list"],
    ["DELETE", "delete"],
  ])("fault 50: a denied %s names the verb that is missing", async (method, verb) => {
    const cluster = Object.assign(await fakeKubernetes(["jetson-1"]), { refuse: { method, status: 403 } });
    const result = await asked(kubernetesOf(cluster));
    expect(result).toMatchObject({
      ok: false,
      mishap: { message: expect.stringContaining(`may not ${verb} pods in namespace edge`) },
    });
  });

  test("fault 51: a pod evicted in between is what was wanted", async () => {
    const cluster = Object.assign(await fakeKubernetes(["jetson-1"]), { refuse: { method: "DELETE", status: 404 } });
    const pending = asked(kubernetesOf(cluster));
    await eventually("the pod is asked to go", () => cluster.asked.includes("DELETE"));
    cluster.pods = [{ name: "inference-x", uid: "new", node: "jetson-1", labels: "app=inference", isReady: true }];
    expect(await pending).toEqual({ ok: true });
  });

  test("an old pod that is still ending answers with the old file, so it is waited for", async () => {
    const cluster = Object.assign(await fakeKubernetes(["jetson-1"]), { isLingering: true });
    const late = await asked(kubernetesOf(cluster), 700);
    expect(late).toMatchObject({ ok: false, mishap: { message: expect.stringContaining("did not end") } });
    const pending = asked(kubernetesOf(cluster));
    await eventually("both are asked to go", () => cluster.deleted.length >= 3);
    cluster.pods = cluster.pods.slice(-1);
    expect(await pending).toEqual({ ok: true });
  });

  test.each<[string, Partial<Awaited<ReturnType<typeof fakeKubernetes>>>, string | null]>([
    ["fault 49: an API that is down", { url: "http://127.0.0.1:9" }, "cannot be reached"],
    [
      "fault 50: a right to delete that is missing",
      { refuse: { method: "DELETE", status: 403 } },
      "may not delete pods",
    ],
    ["fault 50: a right to list that is missing", { refuse: { method: "GET", status: 403 } }, "may not list pods"],
    ["no pod on this node", { pods: [] }, "no pod with app=inference runs on jetson-1"],
    ["a cluster in order", {}, null],
  ])("%s is known before anything is switched", async (_, more, words) => {
    const cluster = Object.assign(await fakeKubernetes(["jetson-1"]), more);
    const obstacle = await kubernetesOf(cluster).obstacle?.(never);
    expect(obstacle?.message ?? null).toEqual(words === null ? null : expect.stringContaining(words));
    if (words !== null) expect(obstacle).toMatchObject({ code: "RELOADER_UNREACHABLE", kind: "passing" });
    expect(cluster.deleted).toEqual([]);
  });

  test("no pod on this node is told by selector and node", async () => {
    const result = await asked(kubernetesOf(await fakeKubernetes(["jetson-2"])));
    expect(result).toMatchObject({ mishap: { message: expect.stringContaining("app=inference runs on jetson-1") } });
  });

  test("the service account is read from where the kubelet puts it", async () => {
    const dir = await tempDir();
    for (const [name, text] of Object.entries({ namespace: "edge\n", token: "t1\n", "ca.crt": "PEM\n" })) {
      await writeFile(join(dir, name), text);
    }
    const environment = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" };
    const access = { url: "https://[fd00::1]:6443", namespace: "edge", token: "t1", ca: "PEM" };
    expect(await clusterAccess(environment, undefined, dir)).toEqual(access);
    await expect(clusterAccess({}, undefined, dir)).rejects.toThrow("KUBERNETES_SERVICE_HOST");
  });
});

describe("Triton", () => {
  const asked = (reloader: Reloader) =>
    reloader.reload({ model: "default", file, link: "/models/current.trt", budgetMs: 5_000 }, never);

  test("fault 46: a GPU without memory is told in words, and what the failed load holds is given back", async () => {
    const paths: string[] = [];
    const reloader = await tritonThat((path) => {
      paths.push(path);
      if (path.endsWith("/load"))
        return { status: 500, body: { error: "failed to load 'default': Internal: CUDA_ERROR_OUT_OF_MEMORY" } };
      return { status: path.startsWith("GET") ? 400 : 200 };
    });
    expect(await asked(reloader)).toMatchObject({ ok: false, mishap: { code: "OUT_OF_GPU_MEMORY" } });
    expect(paths.at(-1)).toBe("POST /v2/repository/models/default/unload");
  });

  test("a load that answers 200 and does nothing is seen in the index", async () => {
    const result = await asked(await tritonThat(loads("UNAVAILABLE", "unload")));
    expect(result).toMatchObject({ mishap: { message: expect.stringContaining("UNAVAILABLE") } });
  });

  test("a service without an index is believed by its answer, and proved by the probe", async () => {
    const reloader = await tritonThat((path) => ({
      status: path.startsWith("GET") || path.endsWith("/index") ? 404 : 200,
    }));
    expect(await asked(reloader)).toEqual({ ok: true });
  });
});

describe.runIf(DBUS_DAEMON)("D-Bus", () => {
  const asked = (systemd: FakeSystemd, given = true) =>
    dbusReloader(UNIT, systemd.address).reload(
      { model: "default", file: given ? file : null, link: "/models/current.trt", budgetMs: 5_000 },
      never,
    );

  test("a start limit is forgotten before the unit is restarted", async () => {
    const systemd = await fakeSystemd();
    expect(await asked(systemd)).toEqual({ ok: true });
    expect(systemd.calls).toEqual([`ResetFailedUnit ${UNIT}`, `RestartUnit ${UNIT}`]);
  });

  test("an answer before the job has run is not taken for the new process", async () => {
    const systemd = Object.assign(await fakeSystemd(), { queuedLooks: 2 });
    expect(await asked(systemd)).toEqual({ ok: true });
    expect(systemd.queuedLooks).toBe(0);
  });

  test("crashes from before this agent began are none of its own", async () => {
    const systemd = await fakeSystemd();
    const reloader = dbusReloader(UNIT, systemd.address);
    expect(await reloader.isCrashing?.(never)).toBeNull();
    systemd.unit = { ...systemd.unit, restarts: 6 };
    expect(await reloader.isCrashing?.(never)).toContain("started again 2 times");
  });

  test("a unit the host does not have, and a bus that is not there, are known before anything is switched", async () => {
    const systemd = await fakeSystemd();
    const obstacle = (address: string) => dbusReloader(UNIT, address).obstacle?.(never);
    expect(await obstacle(systemd.address)).toBeNull();
    systemd.loadState = "not-found";
    expect(await obstacle(systemd.address)).toMatchObject({ message: expect.stringContaining("has no unit") });
    expect(await obstacle("unix:path=/no/such/bus")).toMatchObject({ code: "RELOADER_UNREACHABLE", kind: "passing" });
    expect(await dbusReloader(UNIT, "unix:path=/no/such/bus").isCrashing?.(never)).toBeNull();
  });

  test("fault 42: the unit behind a request file is watched too, for its restart is answered as soon as it was begun", async () => {
    const systemd = await fakeSystemd();
    const reloader = systemdPathReloader(await tempDir(), watchUnit(UNIT, systemd.address));
    expect(await reloader.isCrashing?.(never)).toBeNull();
    systemd.unit = { activeState: "activating", subState: "auto-restart", restarts: 7 };
    expect(await reloader.isCrashing?.(never)).toContain("started again 3 times");
  });

  test("a service that shall serve nothing is stopped", async () => {
    const systemd = await fakeSystemd();
    expect(await asked(systemd, false)).toEqual({ ok: true });
    expect(systemd.calls.at(-1)).toBe(`StopUnit ${UNIT}`);
  });

  test("fault 42: a unit that fails or ends again and again is told at once, not after the whole budget", async () => {
    const systemd = await fakeSystemd();
    systemd.onRestart = () => (systemd.unit = { activeState: "activating", subState: "auto-restart", restarts: 3 });
    expect(await asked(systemd)).toMatchObject({
      mishap: { message: expect.stringContaining("started again 3 times") },
    });
    systemd.onRestart = () => (systemd.unit = { activeState: "failed", subState: "failed", restarts: 0 });
    expect(await asked(systemd)).toMatchObject({ mishap: { message: expect.stringContaining("gave up") } });
    expect(await dbusReloader(UNIT, systemd.address).isCrashing?.(never)).toContain("gave up");
  });

  test("a refusal for lack of rights says which are needed, and a bus that is not there is no crash of ours", async () => {
    const systemd = Object.assign(await fakeSystemd(), {
      denied: "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
    });
    expect(await asked(systemd)).toMatchObject({ mishap: { message: expect.stringMatching(/root or a polkit rule/) } });
    const nowhere = Object.assign(systemd, { address: "unix:path=/no/such/bus" });
    expect(await asked(nowhere)).toMatchObject({ ok: false, mishap: { code: "RELOAD_FAILED" } });
  });
});

test("a request directory that is not there is known before anything is switched", async () => {
  const dir = await tempDir();
  expect(await systemdPathReloader(dir).obstacle?.(never)).toBeNull();
  const missing = systemdPathReloader(join(dir, "missing"));
  expect(await missing.obstacle?.(never)).toMatchObject({ message: expect.stringContaining("cannot be written") });
});

test("a request of an agent that is stopped is withdrawn", async () => {
  const dir = await tempDir();
  const stop = new AbortController();
  const asked = systemdPathReloader(dir).reload({ model: "default", file, link: "", budgetMs: 60_000 }, stop.signal);
  await eventually("the request is there", () => existsSync(join(dir, "restart")));
  stop.abort();
  await expect(asked).rejects.toThrow(/abort/i);
  expect(existsSync(join(dir, "restart"))).toBe(false);
});

test("a request directory that may not be written is told", async () => {
  const dir = join(await tempDir(), "missing");
  const result = await systemdPathReloader(dir).reload({ model: "default", file, link: "", budgetMs: 500 }, never);
  expect(result).toMatchObject({ ok: false, mishap: { message: expect.stringContaining("could not be written") } });
});
