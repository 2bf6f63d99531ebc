// A poll's whole answer as bytes made once and written as they are. Node's own assembly of an answer costs more than everything else about a poll.
import { type ServerResponse, STATUS_CODES } from "node:http";
import { Socket } from "node:net";
import { ASSIGNMENT_HEADER } from "@context-edge/protocol";

/** Longer than a poll is held, so that the next one finds its connection again. */
export const KEEP_ALIVE_MS = 75_000;

export interface Answer {
  status: 200 | 304;
  headers: Readonly<Record<string, string>>;
  /** Latin-1 text. */
  body: string;
}

/** Sends the answer with the sequence of the device's assignment, the one thing in it that differs from device to device. */
export type WholeAnswer = (response: ServerResponse, assignmentSequence: number) => void;

/**
 * What Node keeps of an answer whose headers it has sent (lib/_http_outgoing.js). Node is pinned by the project, and a test on
 * real connections tells when this is no longer so; a response without these fields is answered the ordinary way.
 */
interface Inside {
  _header: string | null;
  _headerSent: boolean;
}

/** All bytes of the answer; the number stands at `at`, `width` long, and may be written over. */
interface Template {
  bytes: Buffer;
  at: number;
  width: number;
  untilMs: number;
}

export function wholeAnswer(answer: Answer, now: () => number = Date.now): WholeAnswer {
  let template: Template | undefined;
  return (response, assignmentSequence) => {
    const { socket } = response;
    const sequence = String(assignmentSequence);
    if (!socket || !mayBypass(response, socket)) {
      const headers = { ...answer.headers, [ASSIGNMENT_HEADER]: sequence };
      response.writeHead(answer.status, headers).end(answer.body, "latin1");
      return;
    }
    const nowMs = now();
    if (template?.width !== sequence.length || nowMs >= template.untilMs) {
      template = templateOf(answer, nowMs, sequence.length);
    }
    template.bytes.write(sequence, template.at, "latin1");
    response._header = "sent below";
    response._headerSent = true;
    response.statusCode = answer.status;
    socket.write(template.bytes);
    // What the kernel did not take at once still lies in these bytes: they are not written over, the next answer gets others.
    if (socket.writableLength > 0) template = undefined;
    // Nothing is left to send: this tells Node that the answer is over and the connection free for the next.
    response.end();
  };
}

/** One request at a time on a living connection that stays, and nobody has set a header: no pipelining, no `close`, no upgrade. */
function mayBypass(response: ServerResponse, socket: Socket): response is ServerResponse & Inside {
  return (
    socket instanceof Socket &&
    socket.writable &&
    socket.writableLength === 0 &&
    response.shouldKeepAlive &&
    "_header" in response &&
    response._header === null &&
    "_headerSent" in response &&
    response.getHeaderNames().length === 0
  );
}

function templateOf({ status, headers, body }: Answer, nowMs: number, width: number): Template {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...lines,
    `Date: ${new Date(nowMs).toUTCString()}`,
    "Connection: keep-alive",
    `Keep-Alive: timeout=${KEEP_ALIVE_MS / 1_000}`,
    `${ASSIGNMENT_HEADER}: `,
  ].join("\r\n");
  const bytes = Buffer.from(`${head}${" ".repeat(width)}\r\n\r\n${body}`, "latin1");
  // `Date` tells seconds: the bytes are good until the next one.
  return { bytes, at: head.length, width, untilMs: Math.floor(nowMs / 1_000 + 1) * 1_000 };
}
