// What stands before every route: polls go straight to their answer, and whoever dribbles a request is cut off, while held polls are left alone.
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
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

interface More {
  count: (code: ProblemCode) => void;
  /** Once this is aborted, polls that were held end their connections: the next one goes to another hub. */
  ending: AbortSignal;
}

/** For Fastify's `serverFactory`. */
export function frontDoor(
  polls: Polls,
  patience: Patience = PATIENCE,
  { count = () => undefined, ending }: Partial<More> = {},
): (rest: RequestListener) => Server {
  const held = new Set<ServerResponse>();
  function forget(this: ServerResponse) {
    held.delete(this);
  }
  ending?.addEventListener("abort", () => {
    for (const response of held) response.shouldKeepAlive = false;
  });
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
          if (url === DEVICE_ROUTES.manifest) {
            polls.answer(request, response);
            if (!response.writableEnded) held.add(response.on("close", forget));
            return;
          }
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
