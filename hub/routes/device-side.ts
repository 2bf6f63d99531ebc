// The devices' door: enrol, poll the manifest, fetch assignment and artifacts, report. A poll that finds nothing new touches no disk.
import {
  ASSIGNMENT_HEADER,
  DEVICE_ROUTES,
  Digest,
  EnrollReply,
  EnrollRequest,
  Envelope,
  type Hold,
  Report,
  ReportReceipt,
} from "@context-edge/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { enroll, hashSecret } from "../devices.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { sendArtifact } from "./send-artifact.ts";

interface Identity {
  id: string;
  group_name: string;
  assignment_sequence: number;
  hold: Hold | null;
}

const REPORT_LIMIT_BYTES = 4 * 2 ** 20;
const LONGEST_WAIT_SECONDS = 60;

export function addDeviceSide(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const identities = new Map<string, Identity>();
  // Whoever moved, was revoked or enrolled again is looked up anew.
  hub.changes.listen((notice) => {
    if (notice.kind !== "event" || !notice.event.kind.startsWith("device.")) return;
    for (const [hash, { id }] of identities) if (id === notice.event.subject) identities.delete(hash);
  });

  const identify = async (request: FastifyRequest): Promise<Identity> => {
    const credential = /^Bearer (\S{1,200})$/i.exec(request.headers.authorization ?? "")?.[1];
    const hash = credential === undefined ? "" : hashSecret(credential);
    const cached = identities.get(hash);
    if (cached) return cached;
    const device = credential === undefined ? undefined : await hub.store.devices.byCredential(hash);
    if (!device)
      throw new ProblemError("UNAUTHENTICATED", "This device is not known by that credential.", {
        nextStep: "Enrol it again.",
      });
    if (device.revoked) throw new ProblemError("DEVICE_REVOKED", `${device.id} was revoked.`);
    const { id, group_name, assignment_sequence, hold } = device;
    const identity = { id, group_name, assignment_sequence, hold };
    identities.set(hash, identity);
    return identity;
  };

  routes.post(
    DEVICE_ROUTES.enroll,
    { schema: { body: EnrollRequest, response: { 201: EnrollReply } } },
    async ({ body }, reply) => {
      const enrolled = await enroll(hub.changes, hub.config.joinToken, body);
      hub.presence.seen(enrolled.device_id);
      await hub.publisher.refresh([enrolled.group]);
      return reply.code(201).send(enrolled);
    },
  );

  app.get(DEVICE_ROUTES.manifest, { schema: { hide: true } }, async (request, reply) => {
    let device = await identify(request);
    hub.presence.seen(device.id);
    const waitSeconds = preferredWait(request.headers.prefer);
    if (waitSeconds > 0 && request.headers["if-none-match"] === hub.publisher.current(device.group_name)?.etag) {
      const ended = new AbortController();
      const timer = setTimeout(() => ended.abort(), waitSeconds * 1_000);
      request.raw.once("close", () => ended.abort());
      const release = hub.presence.hold(device.id);
      await hub.publisher.waitForNews(device.id, device.group_name, ended.signal);
      clearTimeout(timer);
      release();
      device = await identify(request);
    }
    const manifest = hub.publisher.current(device.group_name);
    if (!manifest)
      throw new ProblemError("NO_MANIFEST", `Group ${device.group_name} has no manifest yet.`, {
        nextStep: "Ask again soon.",
      });
    reply.header(ASSIGNMENT_HEADER, String(device.assignment_sequence)).header("etag", manifest.etag);
    if (request.headers["if-none-match"] === manifest.etag) return reply.code(304).send();
    return reply.type("application/json").send(manifest.body);
  });

  routes.get(DEVICE_ROUTES.assignment, { schema: { response: { 200: Envelope } } }, async (request) => {
    const device = await identify(request);
    hub.presence.seen(device.id);
    return hub.publisher.assignment(device);
  });

  routes.post(
    DEVICE_ROUTES.reports,
    { bodyLimit: REPORT_LIMIT_BYTES, schema: { body: Report, response: { 200: ReportReceipt } } },
    async (request) => {
      const device = await identify(request);
      if (request.body.device !== device.id) {
        throw new ProblemError("FORBIDDEN", `${device.id} may not report for ${request.body.device}.`);
      }
      hub.presence.seen(device.id);
      return hub.reports.take(device.id, request.body);
    },
  );

  routes.get(
    "/device/v1/artifacts/:digest",
    { schema: { params: z.object({ digest: Digest }) } },
    async (request, reply) => {
      const device = await identify(request);
      hub.presence.seen(device.id);
      return sendArtifact(hub, request.params.digest, request, reply);
    },
  );
}

/** `Prefer: wait=25`, RFC 7240 §4.3. */
function preferredWait(header: string | string[] | undefined): number {
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  const seconds = /(?:^|[,;\s])wait=(\d{1,5})/i.exec(text)?.[1];
  return Math.min(Number(seconds ?? 0), LONGEST_WAIT_SECONDS);
}
