// What a body must not be, decided before any of it is read: compressed, or dribbled so slowly that it only holds a connection.
import type { FastifyInstance } from "fastify";
import { ProblemError } from "../problem-error.ts";

export interface Pace {
  everyMs: number;
  leastBytes: number;
}

const UPLOAD = "/mlops/artifacts/";
/** A bad line in a factory manages this; whoever does not may resume where it broke off. */
const SLOWEST: Pace = { everyMs: 30_000, leastBytes: 30_720 };

export function watchBodies(app: FastifyInstance, pace: Pace = SLOWEST): void {
  app.addHook("onRequest", async (request) => {
    const coding = request.headers["content-encoding"];
    // Never unpacked: a kilobyte could become a gigabyte.
    if (coding !== undefined && coding.trim().toLowerCase() !== "identity")
      throw new ProblemError("MEDIA_TYPE", "This hub takes no compressed bodies.", {
        nextStep: "Send the body as it is, without Content-Encoding.",
      });
    if (request.method !== "PUT" || !request.url.startsWith(UPLOAD)) return;
    const { socket } = request.raw;
    let before = socket.bytesRead;
    const timer = setInterval(() => {
      if (!request.raw.complete && socket.bytesRead - before < pace.leastBytes) socket.destroy();
      before = socket.bytesRead;
    }, pace.everyMs).unref();
    request.raw.once("close", () => clearInterval(timer));
  });
}
