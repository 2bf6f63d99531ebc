// Thousands of devices in one process, as bare sockets: they poll, are held, and note when they were answered. Orders come on stdin.
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

interface Task {
  port: number;
  devices: number;
  path: string;
  /** Sent with every poll; `{id}` stands for the device's own. */
  headers: Record<string, string>;
  wait: number;
}

const { port, devices, path, headers, wait } = JSON.parse(process.argv[2] ?? "{}") as Task;
const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
const idOf = (n: number) => `edge-${String(n).padStart(5, "0")}`;

const sockets: (Socket | undefined)[] = [];
let etag = "";
let answeredMs: number[] = [];
let statuses: Record<string, number> = {};
let all = Promise.withResolvers<void>();
let again = 0;
let known: { status: string; length: number } | null = null;

function poll(n: number): void {
  const socket = sockets[n] ?? open(n);
  const lines = own.map((line) => line.replace("{id}", idOf(n))).join("");
  const condition = etag && wait > 0 ? `If-None-Match: ${etag}\r\nPrefer: wait=${wait}\r\n` : "";
  socket.write(`GET ${path} HTTP/1.1\r\nHost: hub\r\n${lines}${condition}\r\n`);
}

function open(n: number): Socket {
  // Several source addresses: one has too few ports for whatever else the machine does.
  const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.0.${2 + (n % 8)}`, noDelay: true });
  sockets[n] = socket;
  let missing = 0;
  socket.on("data", (bytes: Buffer) => {
    // As little as can be: what this process does per answer is in everybody's figure.
    if (missing === 0) missing = lengthOf(bytes);
    missing -= bytes.length;
    if (missing > 0) return;
    missing = 0;
    answeredMs.push(performance.now());
    if (answeredMs.length === devices) all.resolve();
  });
  const lost = () => {
    if (sockets[n] !== socket) return;
    sockets[n] = undefined;
    again += 1;
    setTimeout(() => poll(n), 200 + Math.random() * 800);
  };
  socket.on("error", () => socket.destroy());
  socket.on("close", lost);
  return socket;
}

/** Answers of one fan-out are of one length: the first is read, the others are believed when they begin alike. */
function lengthOf(bytes: Buffer): number {
  const status = bytes.toString("latin1", 9, 12);
  statuses[status] = (statuses[status] ?? 0) + 1;
  if (known?.status === status) return known.length;
  const head = bytes.toString("latin1", 0, 2_000);
  const end = head.indexOf("\r\n\r\n") + 4;
  etag = /\r\netag: ([^\r]+)/i.exec(head)?.[1] ?? etag;
  const body = status === "304" ? 0 : Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const length = end + body;
  known = { status, length };
  return length;
}

/** Everybody asks; resolves with what it took from the first question to each answer. */
async function everybody(): Promise<number[]> {
  expectAll();
  const startedMs = performance.now();
  for (let n = 0; n < devices; n += 1) poll(n);
  await all.promise;
  return answeredMs.map((ms) => ms - startedMs);
}

function expectAll(): void {
  answeredMs = [];
  known = null;
  statuses = {};
  again = 0;
  all = Promise.withResolvers();
}

const quantile = (sorted: readonly number[], share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
const summary = (times: readonly number[]) => {
  const sorted = times.toSorted((a, b) => a - b);
  return { firstMs: sorted[0], p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), lastMs: sorted.at(-1) };
};

const ORDERS: Record<string, (order: { method: string; url: string; body: string }) => unknown> = {
  ask: async () => ({ ...summary(await everybody()), statuses, again }),
  /** They ask and are left waiting. */
  hold: () => {
    expectAll();
    for (let n = 0; n < devices; n += 1) poll(n);
    return {};
  },
  /** Tells the server the news and takes the time until the last one has its answer. */
  news: async ({ method, url, body }) => {
    expectAll();
    const startedMs = performance.now();
    const sent = request(url, { method, headers: { "content-type": "application/json" } });
    sent.on("response", (response) => response.resume()).end(body);
    await all.promise;
    return { ...summary(answeredMs.map((ms) => ms - startedMs)), statuses };
  },
};

console.log(JSON.stringify({}));
createInterface(process.stdin)
  .on("line", (line) => {
    const order = JSON.parse(line) as { do: string; method: string; url: string; body: string };
    void Promise.resolve(ORDERS[order.do]?.(order)).then((said) => console.log(JSON.stringify(said)));
  })
  .on("close", () => process.exit(0));
