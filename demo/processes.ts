// Child processes of the demo: each writes its own log file, is started again when it dies (as systemd or K3s would), and ends with the demo.
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const STOP_GRACE_MS = 8_000;
const RESTART_DELAY_MS = 1_000;
/** A child that dies this often within the window is broken, not unlucky. */
const MAX_RESTARTS = 5;
const RESTART_WINDOW_MS = 60_000;

export interface ChildSpec {
  name: string;
  /** Entry file, relative to the repository. */
  entry: string;
  args?: string[];
  env?: Record<string, string>;
}

export type ChildNews =
  | { kind: "restarting"; name: string; how: string }
  | { kind: "gave-up"; name: string; how: string; logFile: string };

export interface Children {
  start(spec: ChildSpec): ChildProcess;
  /** Ends one child and leaves it down until it is started again. @returns false when none of that name runs. */
  stop(name: string, signal: NodeJS.Signals): Promise<boolean>;
  /** Asks every child to end, insists after a grace period, and waits until none is left. */
  stopAll(): Promise<void>;
}

export function superviseChildren(logsDir: string, tell: (news: ChildNews) => void): Children {
  mkdirSync(logsDir, { recursive: true });
  const running = new Map<string, ChildProcess>();
  const wantedDown = new Set<string>();
  const exitsMs = new Map<string, number[]>();
  let stopping = false;

  const start = (spec: ChildSpec): ChildProcess => {
    const logFile = join(logsDir, `${spec.name}.log`);
    const child = spawnLogged(spec, logFile);
    wantedDown.delete(spec.name);
    running.set(spec.name, child);
    if (child.pid !== undefined) writeFileSync(join(logsDir, `${spec.name}.pid`), `${child.pid}\n`);
    child.once("exit", (code, signal) => {
      if (running.get(spec.name) === child) running.delete(spec.name);
      if (stopping || wantedDown.has(spec.name)) return;
      const how = signal ? `was ended by ${signal}` : `exited with code ${code}`;
      const recent = [...(exitsMs.get(spec.name) ?? []), Date.now()].filter(
        (ms) => Date.now() - ms < RESTART_WINDOW_MS,
      );
      exitsMs.set(spec.name, recent);
      if (recent.length > MAX_RESTARTS) {
        tell({ kind: "gave-up", name: spec.name, how, logFile });
        return;
      }
      tell({ kind: "restarting", name: spec.name, how });
      setTimeout(() => {
        if (!stopping && !wantedDown.has(spec.name)) start(spec);
      }, RESTART_DELAY_MS);
    });
    return child;
  };

  return {
    start,
    async stop(name, signal) {
      const child = running.get(name);
      wantedDown.add(name);
      if (!child) return false;
      await stopChild(child, signal);
      return true;
    },
    async stopAll() {
      stopping = true;
      await Promise.all([...running.values()].map((child) => stopChild(child, "SIGTERM")));
    },
  };
}

function spawnLogged({ entry, args = [], env = {} }: ChildSpec, logFile: string): ChildProcess {
  const log = openSync(logFile, "a");
  try {
    const preload = join(ROOT, "demo/end-with-parent.ts");
    return spawn(process.execPath, ["--import", preload, join(ROOT, entry), ...args], {
      stdio: ["ignore", log, log, "ipc"],
      env: { ...process.env, ...env },
      // A session of its own: Ctrl-C reaches the demo alone, which then ends its children in order.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

async function stopChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const insist = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
    child.once("exit", () => {
      clearTimeout(insist);
      resolve();
    });
    child.kill(signal);
  });
}
