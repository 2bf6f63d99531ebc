// A hub for tests: signs with real keys, holds polls, serves ranges, applies reports once, and can be told to misbehave.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  ASSIGNMENT_HEADER,
  type Envelope,
  type Hold,
  type Observed,
  type OutcomeReport,
  Report,
  type Target,
} from "@context-edge/protocol";
import type { FakeModel } from "./fake-model.ts";
import { sealAssignment, sealManifest, type TestKey, targetOf, testKey } from "./signing.ts";

export interface FakeHub {
  url: string;
  hubKey: TestKey;
  releaseKey: TestKey;
  outcomes: OutcomeReport[];
  observed: Observed[];
  /** Requests for artifacts: their Range header, or "whole". */
  fetches: string[];
  /** Stands before the usual answers; true: it answered itself. */
  intercept(handle: ((request: IncomingMessage, response: ServerResponse) => boolean) | null): void;
  offer(model: FakeModel, more?: Partial<Target>): void;
  /** A hold by an engineer, in a newer assignment. */
  hold(hold: Hold | null): void;
  publish(envelope: Envelope): void;
  /** Serves other bytes than the ones that were signed. */
  replaceArtifact(model: FakeModel, bytes: Buffer): void;
  /** @returns puts back what the hub has heard of the device by now, as often as it is called */
  remember(): () => void;
  close(): Promise<void>;
}

const JOIN_TOKEN = "join-token-of-tests";
const CREDENTIAL = "credential-of-tests";

export async function startFakeHub(device: string): Promise<FakeHub> {
  const hubKey = testKey();
  const releaseKey = testKey();
  const artifacts = new Map<string, Buffer>();
  const outcomes: OutcomeReport[] = [];
  const observed: Observed[] = [];
  const fetches: string[] = [];
  const applied = new Map<string, number>();
  const held = new Set<() => void>();
  let assigned = 1;
  let assignment = sealAssignment(assigned, device, "pilot", hubKey);
  let intercepting: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null;
  let sequence = 1;
  let published = 1;
  let manifest = { envelope: sealManifest(sequence, [], hubKey), etag: '"1"' };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (intercepting?.(request, response) === true) return;
    const send = (status: number, body: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, {
        "content-type": "application/json",
        [ASSIGNMENT_HEADER]: String(assigned),
        ...headers,
      });
      response.end(body === null ? "" : JSON.stringify(body));
    };
    const path = new URL(request.url ?? "/", "http://hub").pathname;
    if (path === "/device/v1/enroll") {
      const { join_token: token } = JSON.parse(await bodyOf(request)) as { join_token: string };
      if (token !== JOIN_TOKEN) return send(403, problem("JOIN_TOKEN_REFUSED"));
      return send(201, { device_id: device, group: "pilot", credential: CREDENTIAL });
    }
    if (request.headers.authorization !== `Bearer ${CREDENTIAL}`) return send(401, problem("UNAUTHENTICATED"));
    if (path === "/device/v1/assignment") return send(200, assignment);
    if (path === "/device/v1/manifest") return poll(request, response, send);
    if (path === "/device/v1/reports") {
      const report = Report.parse(JSON.parse(await bodyOf(request)));
      if (report.observed) observed.push(report.observed.state);
      let through = applied.get(report.outbox) ?? 0;
      for (const outcome of report.outcomes) {
        if (outcome.number > through) outcomes.push(outcome.report);
        through = Math.max(through, outcome.number);
      }
      applied.set(report.outbox, through);
      return send(200, { accepted_through: through });
    }
    const bytes = artifacts.get(path.split("/").at(-1) ?? "");
    if (!bytes) return send(404, problem("ARTIFACT_MISSING"));
    return serveRange(request, response, bytes, fetches);
  };

  const poll = async (
    request: IncomingMessage,
    response: ServerResponse,
    send: (status: number, body: unknown, headers?: Record<string, string>) => void,
  ): Promise<void> => {
    const waitMs = Number(/wait=(\d+)/.exec(String(request.headers.prefer ?? ""))?.[1] ?? 0) * 1_000;
    if (request.headers["if-none-match"] === manifest.etag && waitMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        const wake = () => {
          clearTimeout(timer);
          held.delete(wake);
          resolve();
        };
        held.add(wake);
        response.once("close", wake);
      });
    }
    if (request.headers["if-none-match"] === manifest.etag) return send(304, null, { etag: manifest.etag });
    return send(200, manifest.envelope, { etag: manifest.etag });
  };

  const hold: FakeHub["hold"] = (wish) => {
    assigned += 1;
    assignment = sealAssignment(assigned, device, "pilot", hubKey, wish);
    for (const wake of held) wake();
  };

  const publish = (envelope: Envelope) => {
    published += 1;
    manifest = { envelope, etag: `"${published}"` };
    for (const wake of held) wake();
  };

  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    hubKey,
    releaseKey,
    outcomes,
    observed,
    fetches,
    intercept(handle) {
      intercepting = handle;
    },
    offer(model, more = {}) {
      if (!artifacts.has(model.digest)) artifacts.set(model.digest, model.bytes);
      sequence += 1;
      publish(sealManifest(sequence, [targetOf(model, releaseKey, more)], hubKey));
    },
    hold,
    publish,
    replaceArtifact: (model, bytes) => void artifacts.set(model.digest, bytes),
    remember() {
      const heard = { outcomes: [...outcomes], observed: [...observed], fetches: [...fetches], applied: [...applied] };
      return () => {
        outcomes.splice(0, Infinity, ...heard.outcomes);
        observed.splice(0, Infinity, ...heard.observed);
        fetches.splice(0, Infinity, ...heard.fetches);
        applied.clear();
        for (const [outbox, through] of heard.applied) applied.set(outbox, through);
      };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const TEST_JOIN_TOKEN = JOIN_TOKEN;

function serveRange(request: IncomingMessage, response: ServerResponse, bytes: Buffer, fetches: string[]): void {
  const { range } = request.headers;
  fetches.push(range ?? "whole");
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  const etag = '"strong"';
  if (range !== undefined && start >= bytes.length) {
    response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
    return;
  }
  const headers = { etag, "content-type": "application/octet-stream", "content-length": bytes.length - start };
  const part = { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(start > 0 ? 206 : 200, start > 0 ? { ...headers, ...part } : headers);
  response.end(bytes.subarray(start));
}

function problem(code: string) {
  return { type: "about:blank", title: code, status: 400, code };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
