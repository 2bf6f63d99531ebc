// What stands before every route: polls go straight to their answer, and whoever dribbles a request is cut off, while held polls are left alone.
import { createServer, type RequestListener, type Server } from "node:http";
import { DEVICE_ROUTES, type ProblemCode } from "@context-edge/protocol";
import { refuseExpectations, refuseWithoutHost } from "./unreadable.ts";
import { KEEP_ALIVE_MS } from "./whole-answer.ts";
import type { Polls } from "./polls.ts";

interface Patience {
  /** For the request line and the headers. */
  headersMs: number;
  /** For a body, files that are uploaded excepted. */
  bodyMs: number;
}

const PATIENCE: Patience = { headersMs: 15_000, bodyMs: 30_000 };
/** Files may take their time: they are bounded by their size. */
const UPLOADS = "/mlops/artifacts/";

/** For Fastify's `serverFactory`. */
export function frontDoor(
  polls: Polls,
  patience: Patience = PATIENCE,
  count: (code: ProblemCode) => void = () => undefined,
): (rest: RequestListener) => Server {
  return (rest) => {
    const server = createServer(
      {
        connectionsCheckingInterval: Math.ceil(patience.headersMs / 3),
        optimizeEmptyRequests: true,
        requireHostHeader: false,
      },
      (request, response) => {
        if (refuseWithoutHost(request, response, count)) return;
        const { method, url = "" } = request;
        if (method === "GET") {
          if (url === DEVICE_ROUTES.manifest) return polls.answer(request, response);
        } else if (method !== "HEAD" && !url.startsWith(UPLOADS)) {
          const timer = setTimeout(() => request.complete || request.socket.destroy(), patience.bodyMs);
          response.once("close", () => clearTimeout(timer));
        }
        rest(request, response);
      },
    );
    refuseExpectations(server, count);
    server.headersTimeout = patience.headersMs;
    // Counts the body too, and an upload of gigabytes may take long: bodies are watched above.
    server.requestTimeout = 0;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    return server;
  };
}
