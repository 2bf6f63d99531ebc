// What the hub's benches share: children that take orders, cores for each side, nginx in a folder of its own, and wrk.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

export interface Orders {
  pid: number;
  first: Record<string, unknown>;
  ask<T = Record<string, number>>(order: object): Promise<T>;
  end(): Promise<void>;
}

/** Starts a file of this folder on one core; what it prints first comes along, later lines answer orders one by one. */
export async function obedient(file: string, task: unknown, core: number): Promise<Orders> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const words = ["-c", String(core), process.execPath, path, JSON.stringify(task)];
  const child = spawn("taskset", words, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    if (line.done) throw new Error(`${file} ended before it answered`);
    return JSON.parse(line.value) as never;
  };
  return {
    pid: child.pid ?? 0,
    first: await next(),
    ask: (order) => {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return next();
    },
    end: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** What the process has used so far, from /proc. Says more than the clock does while others work on the same cores. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export interface Nginx {
  pid: number;
  port: number;
  dir: string;
  end(): Promise<void>;
}

/** One worker on the server's core. @returns null, said aloud, where nginx or the module is not installed. */
export async function startNginx(port: number, locations: string, modules: readonly string[]): Promise<Nginx | null> {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-nginx-"));
  const config = join(dir, "nginx.conf");
  await writeFile(
    config,
    `${modules.map((path) => `load_module ${path};`).join("\n")}
daemon off; master_process off; worker_rlimit_nofile 20000; pid ${dir}/pid; error_log ${dir}/error.log crit;
events { worker_connections 19000; }
http {
  access_log off; sendfile on; keepalive_requests 100000000; keepalive_timeout 300s; default_type application/json;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi; scgi_temp_path ${dir}/scgi; nchan_max_reserved_memory 256M;
  server { listen 127.0.0.1:${port} backlog=16384; root ${dir}; ${locations} }
}
`.replace(modules.length === 0 ? " nchan_max_reserved_memory 256M;" : "", ""),
  );
  const tried = await run("nginx", ["-t", "-c", config, "-e", join(dir, "error.log")]).catch((error: unknown) => error);
  if (tried instanceof Error) {
    console.log(`skipped the baseline: nginx${modules.length > 0 ? " with nchan" : ""} does not start here`);
    console.log(`(Debian: apt-get install nginx-light libnginx-mod-nchan wrk) ${tried.message.slice(0, 300)}`);
    await rm(dir, { recursive: true, force: true });
    return null;
  }
  const words = ["-c", String(SERVER_CORE), "nginx", "-c", config, "-e", join(dir, "error.log")];
  const child = spawn("taskset", words, { stdio: ["ignore", "inherit", "inherit"] });
  await delay(500);
  return {
    pid: child.pid ?? 0,
    port,
    dir,
    async end() {
      await stop(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export async function hasWrk(): Promise<boolean> {
  const found = await run("which", ["wrk"]).then(
    () => true,
    () => false,
  );
  if (!found) console.log("skipped: wrk is not installed (Debian: apt-get install wrk)");
  return found;
}

/** @returns answers a second; refuses to count a round in which anything but 2xx and 3xx came. */
export async function wrk(url: string, script: string, connections: number, seconds: number): Promise<number> {
  const words = ["-c", String(LOAD_CORE), "wrk", "-t", "1", "-c", String(connections), "-d", `${seconds}s`];
  const { stdout } = await run("taskset", [...words, "-s", script, url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`the load went wrong:\n${stdout}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}
