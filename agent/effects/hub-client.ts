// The hub as the agent sees it: enrolment, manifest, assignment and reports, each answered or failed, never thrown.
import {
  ASSIGNMENT_HEADER,
  DEVICE_ROUTES,
  EnrollReply,
  type EnrollRequest,
  Problem,
  type Report,
  ReportReceipt,
} from "@context-edge/protocol";
import type { z } from "zod";
import { parseRetryAfter } from "../core/backoff.ts";
import { headerOf, type Http, type HttpReply, type HttpRequest } from "./http.ts";

export interface HubFailure {
  ok: false;
  code: string;
  message: string;
  nextStep: string;
  /** Null when no answer came at all. */
  status: number | null;
  retryAfterMs: number | null;
}
export type Answer<T> = ({ ok: true } & T) | HubFailure;

export interface ManifestAnswer {
  /** Null: nothing changed since `etag`. */
  fresh: { envelope: unknown; etag: string | null } | null;
  /** Sequence of the device's assignment at the hub. */
  assignment: number | null;
}

export interface Hub {
  enroll(request: EnrollRequest, signal: AbortSignal): Promise<Answer<{ reply: EnrollReply }>>;
  manifest(
    poll: { credential: string; etag: string | null; waitSeconds: number },
    signal: AbortSignal,
  ): Promise<Answer<ManifestAnswer>>;
  assignment(credential: string, signal: AbortSignal): Promise<Answer<{ envelope: unknown }>>;
  report(credential: string, report: Report, signal: AbortSignal): Promise<Answer<{ receipt: ReportReceipt }>>;
}

const DEADLINE_MS = 20_000;
/** A held poll may be answered late by a busy hub; after this the connection is taken for dead. */
const POLL_GRACE_MS = 15_000;

export function hubClient(http: Http, hubUrl: string): Hub {
  const at = (path: string) => new URL(path, hubUrl).href;
  const send = (request: Omit<HttpRequest, "deadlineMs"> & { deadlineMs?: number }) =>
    http.request({ deadlineMs: DEADLINE_MS, ...request });

  return {
    async enroll(request, signal) {
      const reply = await send({ method: "POST", url: at(DEVICE_ROUTES.enroll), json: request, signal });
      if (!reply.ok) return unreachable(reply);
      const parsed = parseBody(reply, EnrollReply);
      return parsed ? { ok: true, reply: parsed } : refused(reply);
    },

    async manifest({ credential, etag, waitSeconds }, signal) {
      const reply = await send({
        method: "GET",
        url: at(DEVICE_ROUTES.manifest),
        headers: {
          ...bearer(credential),
          ...(etag === null ? {} : { "if-none-match": etag }),
          ...(waitSeconds > 0 ? { prefer: `wait=${waitSeconds}` } : {}),
        },
        deadlineMs: waitSeconds * 1_000 + POLL_GRACE_MS,
        signal,
      });
      if (!reply.ok) return unreachable(reply);
      const header = headerOf(reply.headers, ASSIGNMENT_HEADER);
      const assignment = header !== undefined && /^\d{1,16}$/.test(header) ? Number(header) : null;
      if (reply.status === 304) return { ok: true, fresh: null, assignment };
      const envelope = reply.status === 200 ? parseJson(reply.body) : undefined;
      if (envelope === undefined) return refused(reply);
      return { ok: true, fresh: { envelope, etag: headerOf(reply.headers, "etag") ?? null }, assignment };
    },

    async assignment(credential, signal) {
      const reply = await send({
        method: "GET",
        url: at(DEVICE_ROUTES.assignment),
        headers: bearer(credential),
        signal,
      });
      if (!reply.ok) return unreachable(reply);
      const envelope = reply.status === 200 ? parseJson(reply.body) : undefined;
      return envelope === undefined ? refused(reply) : { ok: true, envelope };
    },

    async report(credential, report, signal) {
      const url = at(DEVICE_ROUTES.reports);
      const reply = await send({ method: "POST", url, headers: bearer(credential), json: report, signal });
      if (!reply.ok) return unreachable(reply);
      const receipt = parseBody(reply, ReportReceipt);
      return receipt ? { ok: true, receipt } : refused(reply);
    },
  };
}

export function bearer(credential: string): { authorization: string } {
  return { authorization: `Bearer ${credential}` };
}

function parseBody<T>(reply: HttpReply, schema: z.ZodType<T>): T | null {
  if (reply.status < 200 || reply.status > 299) return null;
  const parsed = schema.safeParse(parseJson(reply.body));
  return parsed.success ? parsed.data : null;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function unreachable(failure: { code: string; message: string; nextStep: string }): HubFailure {
  return { ok: false, ...failure, status: null, retryAfterMs: null };
}

/** An answer that is not the one asked for: the problem document speaks for the hub when there is one. */
export function refused(reply: Pick<HttpReply, "status" | "headers" | "body">): HubFailure {
  const problem = Problem.safeParse(parseJson(reply.body));
  const retryAfterMs = parseRetryAfter(headerOf(reply.headers, "retry-after"), Date.now()) ?? null;
  const { status } = reply;
  if (problem.success) {
    const { code, detail, title, next_step: nextStep = "" } = problem.data;
    return { ok: false, code, message: detail ?? title, nextStep, status, retryAfterMs };
  }
  return {
    ok: false,
    code: `HTTP_${status}`,
    message: `the hub answered ${status} with nothing this agent understands`,
    nextStep: "Check that AGENT_HUB_URL really names the hub, and what stands between.",
    status,
    retryAfterMs,
  };
}
