// Server-sent events: open pages are told that something moved, and ask for it themselves.
import type { FastifyInstance, FastifyReply } from "fastify";

/** A held stream costs a descriptor; beyond this the page falls back to asking now and then. */
const LISTENERS = 16;
const KEEP_ALIVE_MS = 15_000;
/** A reader who does not read is cut off before the unread fills memory. */
const UNREAD_BYTES = 64 * 1_024;

export function eventStreams(
  app: FastifyInstance,
  subscribe: (tell: () => void) => () => void,
  headers: Record<string, string>,
): void {
  const listeners = new Set<FastifyReply>();
  app.get("/events", async (_request, reply) => {
    if (listeners.size >= LISTENERS) {
      return reply
        .code(503)
        .header("retry-after", "60")
        .send({ code: "TOO_MANY_LISTENERS", message: "too many pages are open", next_step: "Close some of them." });
    }
    reply.hijack();
    listeners.add(reply);
    const { raw } = reply;
    const write = (text: string) => {
      if (raw.writableLength > UNREAD_BYTES) raw.destroy();
      else raw.write(text);
    };
    raw.writeHead(200, { ...headers, "content-type": "text/event-stream" });
    write(": open\n\n");
    const unsubscribe = subscribe(() => write("data: changed\n\n"));
    const alive = setInterval(() => write(": alive\n\n"), KEEP_ALIVE_MS);
    raw.once("close", () => {
      clearInterval(alive);
      unsubscribe();
      listeners.delete(reply);
    });
  });

  // Held streams would keep a closing server open.
  app.addHook("preClose", async () => {
    for (const { raw } of listeners) raw.end();
  });
}
