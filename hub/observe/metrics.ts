// What Prometheus reads: counters that cost an increment, and figures that are taken when somebody asks.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { DEVICE_ROUTES, ProblemCode } from "@context-edge/protocol";
import { HUB_VERSION } from "../version.ts";
import { TalliedHistogram } from "./tallied-histogram.ts";

export interface Metrics {
  registry: Registry;
  /** One poll for the manifest. @param seconds null when it was held: a wait is no latency. */
  poll(result: "changed" | "unchanged" | "refused", seconds: number | null): void;
  request(route: string, method: string, status: number, seconds: number): void;
  problem(code: ProblemCode): void;
  shed(): void;
  /** Files that nothing referred to. */
  removed(bytes: number): void;
  /** @param count how many requests wait for their turn. */
  waiting(count: () => number): void;
}

/** A poll takes some 40 µs; one that takes a millisecond is news. */
const POLL_SECONDS = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025, 0.1, 1];
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function openMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const polls = { changed: 0, unchanged: 0, refused: 0 };
  new Counter({
    name: "context_edge_polls_total",
    help: "Polls for the manifest, by result.",
    labelNames: ["result"],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(polls)) this.inc({ result }, count);
    },
  });
  const pollSeconds = new TalliedHistogram({
    name: "context_edge_poll_duration_seconds",
    help: "The hub's own time for a poll that was not held.",
    buckets: POLL_SECONDS,
    registers,
  });
  const requests = new Counter({
    name: "context_edge_requests_total",
    help: "Requests other than polls, by route and class of status.",
    labelNames: ["route", "method", "status"],
    registers,
  });
  const requestSeconds = new Histogram({
    name: "context_edge_request_duration_seconds",
    help: "Time to answer requests other than polls, their turn waited for included, by who asks.",
    labelNames: ["door"],
    buckets: SECONDS,
    registers,
  });
  const problems = new Counter({
    name: "context_edge_problems_total",
    help: "Problem documents answered, by code; STORE_UNAVAILABLE counts the database's failures.",
    labelNames: ["code"],
    registers,
  });
  // From zero: the first failure of a kind is a rise that an alert can see.
  for (const code of ProblemCode.options) problems.inc({ code }, 0);
  const shed = new Counter({
    name: "context_edge_shed_total",
    help: "Requests turned away under pressure.",
    registers,
  });
  const removed = new Counter({
    name: "context_edge_artifacts_removed_bytes_total",
    help: "Bytes of files that were removed because nothing referred to them.",
    registers,
  });
  let takeWaiting = () => 0;
  new Gauge({
    name: "context_edge_requests_waiting",
    help: "Requests of people that wait for their turn.",
    registers,
    collect() {
      this.set(takeWaiting());
    },
  });
  new Gauge({ name: "context_edge_build_info", help: "Always 1.", labelNames: ["version", "node"], registers })
    .labels({ version: HUB_VERSION, node: process.version })
    .set(1);
  return {
    registry,
    poll(result, seconds) {
      polls[result] += 1;
      if (seconds !== null) pollSeconds.tally(seconds);
    },
    request(route, method, status, seconds) {
      requests.inc({ route, method, status: `${Math.floor(status / 100)}xx` });
      requestSeconds.observe({ door: route.startsWith("/device/") ? "devices" : "people" }, seconds);
    },
    problem: (code) => problems.inc({ code }),
    shed: () => shed.inc(),
    removed: (bytes) => removed.inc(bytes),
    waiting: (count) => (takeWaiting = count),
  };
}

/** Streams for as long as a page is open: no latency. */
const ENDLESS = "/api/v1/events";

export function countRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook("onResponse", async (request, reply) => {
    const seconds = reply.elapsedTime / 1_000;
    const route = routeOf(request);
    // Polls are counted where they are answered, ahead of every hook.
    if (route !== ENDLESS && route !== DEVICE_ROUTES.manifest)
      metrics.request(route, request.method, reply.statusCode, seconds);
  });
}

/** The route's pattern, never the path as it came: whoever asks for nonsense must not fill the memory with labels. */
const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? "none";
