// `node bench/run.ts`: lists the benches. `node bench/run.ts download [rounds]`: runs one. Nothing here asserts a time.
import { LEAST_ROUNDS } from "./measure.ts";

type Bench = { what: string; load: () => Promise<{ run: (rounds?: number) => Promise<void> }> };

const BENCHES: Record<string, Bench> = {
  dashboard: {
    what: "the dashboard in Chromium: first paint, JavaScript of the first page, interactions with 5,000 devices and with 8",
    load: () => import("./dashboard.ts"),
  },
  database: {
    what: "the hub's database per device-day: growth, bytes written, stalls; against a row per heartbeat",
    load: () => import("./database.ts"),
  },
  download: {
    what: "download, verification and fsync, against curl, openssl and sync",
    load: () => import("./download.ts"),
  },
  footprint: {
    what: "an idle agent: memory, start to first poll, CPU; beside Mender's client and an empty Node",
    load: () => import("./footprint.ts"),
  },
  polls: {
    what: "304 polls with authentication and last-seen, against nginx serving a static file",
    load: () => import("./polls.ts"),
  },
  fanout: {
    what: "from promote to the last of 10,000 held devices, against nginx with nchan; memory per held device",
    load: () => import("./fanout.ts"),
  },
  pressure: {
    what: "polls, on kept and on new connections, while 400 and 2,500 connections ask for the history",
    load: () => import("./pressure.ts"),
  },
  reports: {
    what: "10,000 reports a second; 10,000 devices that come back at once",
    load: () => import("./reports.ts"),
  },
  live: { what: "200 dashboards and 1,000 changes a second: CPU and lag", load: () => import("./live.ts") },
  swap: { what: "swaps of the current link while another process opens it", load: () => import("./swap.ts") },
};

const [name, rounds] = process.argv.slice(2);
const bench = name === undefined ? undefined : BENCHES[name];
if (bench) {
  const asked = Number(rounds ?? LEAST_ROUNDS);
  if (asked < LEAST_ROUNDS)
    console.log(`fewer than ${LEAST_ROUNDS} rounds: good for a trial, not for a figure to tell`);
  const { run } = await bench.load();
  await run(asked);
} else {
  console.log("node bench/run.ts NAME [ROUNDS]");
  for (const [each, { what }] of Object.entries(BENCHES)) console.log(`  ${each.padEnd(10)} ${what}`);
  process.exitCode = name === undefined ? 0 : 2;
}
