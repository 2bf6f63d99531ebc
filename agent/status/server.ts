// The device's own page over HTTP, for whoever is on the device's network, and for no foreign page; it changes something only with the PIN.
import { hostname } from "node:os";
import { ModelName } from "@context-edge/protocol";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { type Answer, carryOut, type StatusActions } from "./actions.ts";
import type { StatusDocument } from "./document.ts";
import { eventStreams } from "./events.ts";
import { type Flashes, flashes } from "./flashes.ts";
import { sentence } from "./format.ts";
import { refusalOf } from "./guard.ts";
import { type Lockout, lockout } from "./lockout.ts";
import { renderMetrics } from "./metrics.ts";
import { type OrderName, ORDERS } from "./orders.ts";
import { SCRIPT } from "./script.ts";
import { FAVICON, STYLE } from "./style.ts";

export type { StatusActions } from "./actions.ts";

export interface StatusSource {
  device: string;
  statusUrl: string | undefined;
  /** Null: the page only shows. */
  pin: string | null;
  document(): Promise<StatusDocument>;
  /** Calls `tell` at every change until the returned function is called. */
  subscribe(tell: () => void): () => void;
  actions: StatusActions;
  /** A zip file without secrets. */
  diagnostics(): Promise<Uint8Array>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** False when the agent's loop has not moved for longer than it should ever take; left out: it cannot be told. */
  isAlive?(): boolean;
}

export const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  // Not no-referrer: browsers would then send "Origin: null" with our own forms.
  "referrer-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
  "cache-control": "no-store",
};
/** A reason of 500 characters, each escaped in a form, and a little around it. */
const BODY_LIMIT = 8 * 1_024;
/** A device has few readers; whoever opens more wants its descriptors. */
const CONNECTIONS = 64;

/** @param elapsedMs a clock that never jumps, for locks and messages */
export function statusServer(source: StatusSource, elapsedMs: () => number = () => performance.now()): FastifyInstance {
  const app = Fastify({ logger: false, bodyLimit: BODY_LIMIT, connectionTimeout: 30_000, requestTimeout: 10_000 });
  const names = { hostname: hostname(), device: source.device, statusUrl: source.statusUrl };
  const locks = lockout(elapsedMs);
  const said = flashes(elapsedMs);
  app.server.maxConnections = CONNECTIONS;

  app.addHook("onRequest", async (request, reply) => {
    void reply.headers(HEADERS);
    const refused = refusalOf(request, names);
    if (!refused) return;
    const { status, ...problem } = refused;
    await reply.code(status).send(problem);
  });
  app.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).send({ code: "NOT_FOUND", message: "there is no such page on this device", next_step: "Open /." }),
  );
  app.setErrorHandler(async (error, _request, reply) => reply.code(statusOf(error)).send(problemOf(error)));

  addPages(app, source, locks, said);
  addActions(app, source, locks, said);
  eventStreams(app, (tell) => source.subscribe(tell), HEADERS);
  return app;
}

function addPages(app: FastifyInstance, source: StatusSource, locks: Lockout, said: Flashes): void {
  const html = (reply: FastifyReply, page: string) => reply.type("text/html; charset=utf-8").send(page);

  app.get<{ Querystring: { said?: unknown } }>("/", async (request, reply) => {
    const name = request.query.said;
    const flash = typeof name === "string" ? said.find(name) : null;
    const lockedMs = locks.lockedMs(request.ip);
    // Loaded when somebody looks: a device that is only scraped stays smaller by its templates.
    const { renderPage } = await import("./page.ts");
    return html(reply, renderPage(await source.document(), { flash, lockedMs }));
  });
  app.get<{ Params: { model: string } }>("/rollback/:model", async (request, reply) => {
    const model = ModelName.safeParse(request.params.model);
    if (!model.success || source.pin === null) return reply.callNotFound();
    const { confirmPage } = await import("./confirm.ts");
    return html(reply, confirmPage(await source.document(), model.data, locks.lockedMs(request.ip)));
  });
  app.get("/status.json", async (_request, reply) => reply.send(await source.document()));
  app.get("/metrics", async (_request, reply) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(renderMetrics(await source.document(), source.now())),
  );
  app.get("/healthz", async (_request, reply) => {
    const isAlive = source.isAlive?.() ?? true;
    return reply.code(isAlive ? 200 : 503).send({ status: isAlive ? "ok" : "stuck" });
  });
  app.get("/status.css", async (_request, reply) => reply.type("text/css; charset=utf-8").send(STYLE));
  app.get("/status.js", async (_request, reply) => reply.type("text/javascript; charset=utf-8").send(SCRIPT));
  app.get("/icon.svg", async (_request, reply) => reply.type("image/svg+xml").send(FAVICON));

  // Gathering costs some work: whoever asks meanwhile gets the same.
  let gathering: Promise<Uint8Array> | null = null;
  app.get("/diagnostics.zip", async (_request, reply) => {
    gathering ??= source.diagnostics().finally(() => {
      gathering = null;
    });
    const zip = await gathering;
    const at = new Date(source.now()).toISOString().slice(0, 19).replaceAll(":", "");
    return reply
      .type("application/zip")
      .header("content-disposition", `attachment; filename="context-edge-${source.device}-${at}.zip"`)
      .send(Buffer.from(zip));
  });
}

function addActions(app: FastifyInstance, source: StatusSource, locks: Lockout, said: Flashes): void {
  app.removeContentTypeParser("text/plain");
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, parsed) => {
    // The first of a name counts, and no name can be a property of every object.
    const fields: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const [name, value] of new URLSearchParams(String(body))) fields[name] ??= value;
    parsed(null, { ...fields });
  });
  const answerTo = async (name: OrderName, request: FastifyRequest, reply: FastifyReply) => {
    const answer = await carryOut({ source, lockout: locks }, name, request.body, request.ip);
    if (!answer.ok && answer.retryAfterS !== undefined) void reply.header("retry-after", String(answer.retryAfterS));
    const isForm = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
    if (!isForm) {
      const { message, next_step } = answer;
      return reply.code(answer.status).send({ code: answer.ok ? "OK" : answer.code, message, next_step });
    }
    // After a redirect, a reload repeats nothing.
    return reply.redirect(`/?said=${said.keep(flashOf(answer))}`, 303);
  };
  for (const name of Object.keys(ORDERS) as OrderName[]) {
    app.post(`/actions/${name}`, async (request, reply) => answerTo(name, request, reply));
  }
}

function flashOf(answer: Answer) {
  return { tone: answer.ok ? "good" : "bad", message: sentence(answer.message), next: answer.next_step } as const;
}

function statusOf(error: unknown): number {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof status === "number" && status >= 400 && status < 500 ? status : 500;
}

const PROBLEMS: Record<number, { code: string; message: string; next_step: string }> = {
  400: { code: "BAD_REQUEST", message: "the request could not be read", next_step: "Send a form, or JSON." },
  413: { code: "BODY_TOO_LARGE", message: "that is more than this page takes", next_step: "Shorten the reason." },
  415: {
    code: "MEDIA_TYPE",
    message: "only forms and JSON are read here",
    next_step: "Send content-type application/json.",
  },
};

/** What the server's own library or the agent threw; its text may hold paths and stays inside. */
function problemOf(error: unknown) {
  const status = statusOf(error);
  if (status !== 500) return PROBLEMS[status] ?? PROBLEMS[400];
  return {
    code: "INTERNAL",
    message: "the agent could not tell its state; what runs goes on running",
    next_step: "Read the agent's log on the device.",
  };
}
