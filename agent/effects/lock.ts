// One agent per models directory: a socket in the directory itself, which the kernel closes however the owner ends.
import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { AgentError, errnoOf, isMissing } from "../errors.ts";

export interface Lock {
  /** Who answers on the socket from now on: the command line talks to the running agent through it. */
  answer(serve: (socket: Socket) => void): void;
  release(): Promise<void>;
}

const NAME = "agent.lock";
const TRIES = 5;

/**
 * A socket and not a pid file: pids mean nothing across containers, and a leftover of a killed agent refuses connections,
 * which tells it from a living one.
 * @throws AgentError `ALREADY_RUNNING`
 */
export async function takeLock(ownDir: string): Promise<Lock> {
  const directory = await open(ownDir, "r");
  const at = (name: string) => socketPath(directory, name);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const server = await listen(at(NAME));
    if (server) return lockOf(server, directory);
    if (await isAnswering(at(NAME))) break;
    if (!(await setStaleAside(ownDir, at))) break;
  }
  await directory.close();
  throw new AgentError(
    "ALREADY_RUNNING",
    `another agent is already running on ${join(ownDir, "..")}`,
    "Stop the other agent first, or give this one another AGENT_MODELS_DIR.",
  );
}

/** @returns false when what was set aside proved alive: another agent was a moment faster. */
async function setStaleAside(ownDir: string, at: (name: string) => string): Promise<boolean> {
  const aside = `${NAME}.${randomUUID()}`;
  try {
    await rename(join(ownDir, NAME), join(ownDir, aside));
  } catch (error) {
    if (isMissing(error)) return true;
    throw error;
  }
  if (await isAnswering(at(aside))) {
    await rename(join(ownDir, aside), join(ownDir, NAME));
    return false;
  }
  await rm(join(ownDir, aside), { force: true });
  return true;
}

function lockOf(server: Server, directory: FileHandle): Lock {
  // The lock alone must not keep a finished process alive.
  server.unref();
  return {
    answer(serve) {
      server.removeAllListeners("connection");
      server.on("connection", serve);
    },
    async release() {
      await new Promise((resolve) => server.close(resolve));
      await directory.close();
    },
  };
}

/** @returns a connection to the agent that holds the lock, or null when none does. */
export async function callHolder(ownDir: string): Promise<Socket | null> {
  const directory = await open(ownDir, "r").catch(() => null);
  if (!directory) return null;
  const socket = await new Promise<Socket | null>((resolve) => {
    const calling = connect(socketPath(directory, NAME));
    calling.once("connect", () => resolve(calling));
    calling.once("error", () => resolve(null));
  });
  await directory.close();
  return socket;
}

/** sockaddr_un holds 107 bytes; by way of the directory's descriptor the path is short however deep the directory lies. */
function socketPath(directory: FileHandle, name: string): string {
  return `/proc/self/fd/${directory.fd}/${name}`;
}

function listen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => (errnoOf(error) === "EADDRINUSE" ? resolve(null) : reject(error)));
    server.listen(path, () => resolve(server));
  });
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
