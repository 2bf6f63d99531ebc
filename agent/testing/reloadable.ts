// For each reloader a service that serves what the slot link leads to: one that does as it is told, refuses, or never answers.
import { readFileSync } from "node:fs";
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { http } from "../effects/http.ts";
import { pause } from "../effects/pause.ts";
import { commandReloader } from "../effects/reloaders/command.ts";
import { dbusReloader } from "../effects/reloaders/dbus.ts";
import { kubernetesReloader } from "../effects/reloaders/kubernetes.ts";
import { noReloader } from "../effects/reloaders/none.ts";
import type { Reloader } from "../effects/reloaders/reloader.ts";
import { systemdPathReloader } from "../effects/reloaders/systemd-path.ts";
import { tritonReloader } from "../effects/reloaders/triton.ts";
import { type FakeKubernetes, fakeKubernetes } from "./fake-kubernetes.ts";
import { fakeSystemd } from "./fake-systemd.ts";
import { fakeRepository } from "./fake-triton-repository.ts";
import { loopbackServer } from "./loopback-server.ts";
import { tempDir } from "./temp-dir.ts";

export const UNIT = "context-edge-inference.service";

export interface Reloadable {
  reloader: Reloader;
  /** Content of the file that is served; null when none is. */
  served(): string | null;
}
export type Mood = "obedient" | "refusing" | "silent";
/** @param link the slot link; what it leads to is read when the service starts or loads */
export type MakeReloadable = (link: string, mood: Mood) => Promise<Reloadable>;

const contentOf = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
};

/** A slot link in a directory of its own; a swap as the agent makes it, but for its syncs. */
export async function slot(): Promise<{ link: string; swapTo: (name: string, content: string) => Promise<void> }> {
  const dir = await tempDir();
  const link = join(dir, "current.trt");
  return {
    link,
    async swapTo(name, content) {
      await writeFile(join(dir, name), content);
      await rm(link, { force: true });
      await symlink(name, link);
    },
  };
}

/** What the host's oneshot does with a request, until the test is over. */
export function fakeHost(dir: string, verdict: string, onRestart: () => void = () => undefined): void {
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const serve = async () => {
    while (!end.signal.aborted) {
      const id = await readFile(join(dir, "restart"), "utf8").catch(() => "");
      if (id !== "") {
        await rm(join(dir, "restart"), { force: true });
        onRestart();
        await writeFile(join(dir, "result"), `${id.trim()} ${verdict}\n`).catch(() => undefined);
      }
      await pause(5, end.signal);
    }
  };
  void serve();
}

export const kubernetesOf = (cluster: FakeKubernetes, ca: string | null = null) =>
  kubernetesReloader(http({}), {
    selector: "app=inference",
    node: "jetson-1",
    access: () => Promise.resolve({ url: cluster.url, namespace: "edge", token: cluster.tokens[0] ?? "", ca }),
  });

const command: MakeReloadable = async (link, mood) => {
  const script = `if [ -n "$CONTEXT_EDGE_FILE" ]; then cat "$CONTEXT_EDGE_LINK" > "${link}.served"; else rm -f "${link}.served"; fi`;
  const argv = { obedient: ["sh", "-c", script], refusing: ["false"], silent: ["sleep", "60"] }[mood];
  return { reloader: commandReloader(argv), served: () => contentOf(`${link}.served`) };
};

const none: MakeReloadable = (link) => Promise.resolve({ reloader: noReloader(), served: () => contentOf(link) });

const systemdPath: MakeReloadable = async (link, mood) => {
  const dir = await tempDir();
  let served: string | null = null;
  if (mood !== "silent") {
    fakeHost(dir, mood === "obedient" ? "ok" : "failed Job failed, see journalctl", () => (served = contentOf(link)));
  }
  return { reloader: systemdPathReloader(dir), served: () => served };
};

const dbus: MakeReloadable = async (link, mood) => {
  const systemd = await fakeSystemd();
  let served: string | null = null;
  systemd.denied = mood === "refusing" ? "org.freedesktop.DBus.Error.AccessDenied" : null;
  systemd.onRestart = () => {
    served = contentOf(link);
    const states = mood === "silent" ? ["activating", "start"] : ["active", "running"];
    systemd.unit = { activeState: states[0] ?? "", subState: states[1] ?? "", restarts: 0 };
  };
  const reloader = dbusReloader(UNIT, systemd.address);
  return { reloader, served: () => (systemd.unit.activeState === "active" ? served : null) };
};

const triton: MakeReloadable = async (link, mood) => {
  if (mood === "silent") {
    const url = await loopbackServer(() => undefined);
    return { reloader: tritonReloader(http({}), url, "default"), served: () => null };
  }
  const repository = await fakeRepository(link);
  repository.mode = mood === "obedient" ? "explicit" : "none";
  return { reloader: tritonReloader(http({}), repository.url, "default"), served: () => repository.served };
};

const kubernetes: MakeReloadable = async (link, mood) => {
  const cluster = await fakeKubernetes(["jetson-1"]);
  let served: string | null = null;
  cluster.onStart = () => (served = contentOf(link));
  if (mood === "refusing") cluster.refuse = { method: "GET", status: 403 };
  cluster.willBeReady = mood !== "silent";
  return { reloader: kubernetesOf(cluster), served: () => served };
};

export const RELOADABLE = { command, none, "systemd-path": systemdPath, dbus, triton, kubernetes };
