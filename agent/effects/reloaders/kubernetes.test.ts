// Pods of one node restarted through a fake Kubernetes API: whose pods, which rights, busy servers, pods that never come back.
import { writeFile } from "node:fs/promises";
import { request as forward } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type FakeKubernetes, fakeKubernetes } from "../../testing/fake-kubernetes.ts";
import { kubernetesOf } from "../../testing/reloadable.ts";
import { tempDir } from "../../testing/temp-dir.ts";
import { testAuthority } from "../../testing/test-authority.ts";
import { eventually } from "../../testing/test-device.ts";
import { http } from "../http.ts";
import { clusterAccess } from "./cluster-access.ts";
import { kubernetesReloader } from "./kubernetes.ts";

const file = { file: "model-v2.1.trt", version: "v2.1", digest: "a".repeat(64) };
const never = new AbortController().signal;
const reloading = (budgetMs: number) => ({ model: "default", file, link: "/models/current.trt", budgetMs });
const reload = (cluster: FakeKubernetes, budgetMs = 10_000) => kubernetesOf(cluster).reload(reloading(budgetMs), never);

test("pods of other nodes are never touched, whatever the server makes of the selector", async () => {
  const cluster = Object.assign(await fakeKubernetes(["jetson-1", "jetson-2"]), { isSloppy: true });
  expect(await reload(cluster)).toEqual({ ok: true });
  expect(cluster.deleted).toEqual(["inference-jetson-1"]);
  // A server that heeds it never sends what is none of ours.
  expect(new Set(cluster.selected)).toEqual(new Set(["spec.nodeName=jetson-1"]));
});

test("fault 49: an API that is down is told before anything was deleted", async () => {
  const cluster = await fakeKubernetes(["jetson-1"]);
  const result = await reload({ ...cluster, url: "http://127.0.0.1:9" });
  expect(result).toMatchObject({ mishap: { kind: "passing", message: expect.stringContaining("cannot be reached") } });
  expect(cluster.deleted).toEqual([]);
});

test("fault 49: an API that goes away after the pod was deleted is waited for", async () => {
  const cluster = await fakeKubernetes(["jetson-1"]);
  cluster.onStart = () => (cluster.refuse = { method: "GET", status: 503, times: 2 });
  expect(await reload(cluster)).toEqual({ ok: true });
  expect(cluster.deleted).toEqual(["inference-jetson-1"]);
});

test.each([
  ["GET", "list"],
  ["DELETE", "delete"],
])("fault 50: a denied %s names the verb, the resource and the namespace", async (method, verb) => {
  const cluster = Object.assign(await fakeKubernetes(["jetson-1"]), { refuse: { method, status: 403 } });
  expect(await reload(cluster)).toMatchObject({
    mishap: {
      message: expect.stringContaining(`may not ${verb} pods in namespace edge`),
      nextStep: expect.stringContaining("list and delete on pods"),
    },
  });
  expect(cluster.deleted).toEqual([]);
});

test("fault 51: a pod evicted in between is what was wanted", async () => {
  const cluster = Object.assign(await fakeKubernetes(["jetson-1"]), { refuse: { method: "DELETE", status: 404 } });
  const pending = reload(cluster);
  await eventually("the pod is asked to go", () => cluster.asked.includes("DELETE"));
  cluster.pods = [{ name: "inference-x", uid: "new", node: "jetson-1", labels: "app=inference", isReady: true }];
  expect(await pending).toEqual({ ok: true });
});

test("fault 51: a pod that was replaced under the same name in between is left alone", async () => {
  const cluster = await fakeKubernetes(["jetson-1"]);
  cluster.replaceBeforeDelete = true;
  expect(await reload(cluster)).toEqual({ ok: true });
  expect(cluster.deleted).toEqual([]);
});

test.each([410, 429])("an answer of %i is asked again", async (status) => {
  const cluster = await fakeKubernetes(["jetson-1"]);
  cluster.refuse = { method: "GET", status, times: 1 };
  expect(await reload(cluster)).toEqual({ ok: true });
});

test("an answer of 429 for longer than the time there is, is told", async () => {
  const cluster = Object.assign(await fakeKubernetes(["jetson-1"]), { refuse: { method: "GET", status: 429 } });
  expect(await reload(cluster, 500)).toMatchObject({ mishap: { message: expect.stringContaining("answered 429") } });
});

test("fault 46: a new pod that does not stay up is told at once with the kubelet's reason", async () => {
  const cluster = Object.assign(await fakeKubernetes(["jetson-1"]), { willBeReady: false });
  cluster.willWait = { reason: "CrashLoopBackOff", restarts: 2, ended: "OOMKilled" };
  expect(await reload(cluster, 600_000)).toMatchObject({ mishap: { code: "OUT_OF_GPU_MEMORY" } });
  expect(await kubernetesOf(cluster).isCrashing(never)).toContain("CrashLoopBackOff");
  cluster.willWait = { reason: "ImagePullBackOff", restarts: 0, ended: "" };
  expect(await reload(cluster, 600_000)).toMatchObject({
    mishap: { message: expect.stringContaining("ImagePullBackOff") },
  });
});

test("a pod that nothing would bring back is not deleted", async () => {
  const cluster = await fakeKubernetes(["jetson-1"]);
  for (const pod of cluster.pods) pod.isOrphan = true;
  expect(await reload(cluster)).toMatchObject({ mishap: { message: expect.stringContaining("no controller") } });
  expect(cluster.deleted).toEqual([]);
});

test("an old pod that is still ending answers with the old file, so it is waited for", async () => {
  const cluster = Object.assign(await fakeKubernetes(["jetson-1"]), { lingers: true });
  const pending = reload(cluster);
  await eventually("the pod is asked to go", () => cluster.deleted.length === 1);
  expect(cluster.pods).toHaveLength(2);
  cluster.pods = cluster.pods.slice(1);
  expect(await pending).toEqual({ ok: true });
});

test("an old pod that does not end, and a new one that does not come, are told apart", async () => {
  const lingering = Object.assign(await fakeKubernetes(["jetson-1"]), { lingers: true });
  expect(await reload(lingering, 600)).toMatchObject({ mishap: { message: expect.stringContaining("did not end") } });
  const gone = await fakeKubernetes(["jetson-1"]);
  gone.onStart = () => (gone.pods = []);
  expect(await reload(gone, 600)).toMatchObject({ mishap: { message: expect.stringContaining("came to jetson-1") } });
});

test.each<[string, Partial<FakeKubernetes>, string | null]>([
  ["fault 49: an API that is down", { url: "http://127.0.0.1:9" }, "cannot be reached"],
  ["fault 50: a right to delete that is missing", { refuse: { method: "DELETE", status: 403 } }, "may not delete pods"],
  ["fault 50: a right to list that is missing", { refuse: { method: "GET", status: 403 } }, "may not list pods"],
  ["no pod on this node", { pods: [] }, "no pod with app=inference runs on jetson-1"],
  ["a cluster in order", {}, null],
])("%s is known before anything is switched", async (_, more, words) => {
  const cluster = Object.assign(await fakeKubernetes(["jetson-1"]), more);
  const obstacle = await kubernetesOf(cluster).obstacle(never);
  expect(obstacle?.message ?? null).toEqual(words === null ? null : expect.stringContaining(words));
  if (words !== null) expect(obstacle).toMatchObject({ code: "RELOADER_UNREACHABLE", kind: "passing" });
  expect(cluster.deleted).toEqual([]);
});

test("no pod on this node is told by selector and node", async () => {
  const result = await reload(await fakeKubernetes(["jetson-2"]));
  expect(result).toMatchObject({ mishap: { message: expect.stringContaining("app=inference runs on jetson-1") } });
});

test("a token that the kubelet renews in mid-reload is used from then on", async () => {
  const cluster = await fakeKubernetes(["jetson-1"]);
  cluster.onStart = () => (cluster.tokens = ["renewed"]);
  expect(await reload(cluster)).toEqual({ ok: true });
  expect(new Set(cluster.seen)).toEqual(new Set(["service-account", "renewed"]));
});

test("a token that is not accepted is told", async () => {
  const cluster = await fakeKubernetes(["jetson-1"]);
  const reloader = kubernetesReloader(http({}), {
    selector: "app=inference",
    node: "jetson-1",
    access: () => Promise.resolve({ url: cluster.url, namespace: "edge", token: "old", ca: null }),
  });
  expect(await reloader.reload(reloading(5_000), never)).toMatchObject({
    mishap: { message: expect.stringContaining("does not accept") },
  });
});

test("only the cluster's own authority is believed", async () => {
  const authority = await testAuthority();
  const stranger = await testAuthority();
  const cluster = await fakeKubernetes(["jetson-1"]);
  const behind = createTlsServer({ key: authority.key, cert: authority.certificate }, (request, response) => {
    const { method = "GET", headers, url = "" } = request;
    const onward = forward(`${cluster.url}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => behind.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    behind.close();
    behind.closeAllConnections();
  });
  const url = `https://127.0.0.1:${(behind.address() as AddressInfo).port}`;
  expect(await kubernetesOf({ ...cluster, url }, authority.ca).reload(reloading(10_000), never)).toEqual({ ok: true });
  expect(await kubernetesOf({ ...cluster, url }, stranger.ca).reload(reloading(10_000), never)).toMatchObject({
    mishap: { message: expect.stringContaining("authority") },
  });
});

test("the service account is read from where the kubelet puts it; without one that is told", async () => {
  const dir = await tempDir();
  for (const [name, text] of Object.entries({ namespace: "edge\n", token: "t1\n", "ca.crt": "PEM\n" })) {
    await writeFile(join(dir, name), text);
  }
  const environment = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" };
  const access = { url: "https://[fd00::1]:6443", namespace: "edge", token: "t1", ca: "PEM" };
  expect(await clusterAccess(environment, undefined, dir)).toEqual(access);
  const outside = { selector: "app=inference", node: "jetson-1", access: () => clusterAccess({}, undefined, dir) };
  expect(await kubernetesReloader(http({}), outside).reload(reloading(5_000), never)).toMatchObject({
    mishap: { message: expect.stringContaining("KUBERNETES_SERVICE_HOST") },
  });
});
