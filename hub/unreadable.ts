// What no route ever sees, answered as problem documents all the same: heads that are no HTTP, too long or too slow, without a Host, with odd expectations.
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { PROBLEM_MEDIA_TYPE, type ProblemCode } from "@context-edge/protocol";
import { ProblemError } from "./problem-error.ts";

/** Told of each refusal, for the figures. */
type Count = (code: ProblemCode) => void;

/** Node's parser gave up: there is no request to answer, only a socket that may still be written. For Fastify's `clientErrorHandler`. */
export function answerClientErrors(count: Count): (error: Error & { code?: string }, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === "ECONNRESET" || socket.destroyed) return;
    const refusal = refusalOf(error);
    count(refusal.code);
    const { status, headers, text } = answerOf(refusal);
    const lines = Object.entries({ ...headers, date: new Date().toUTCString() }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    if (socket.writable)
      socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("\r\n")}\r\n\r\n${text}`);
    socket.destroy(error);
  };
}

/** @returns whether it was refused: HTTP/1.1 demands a Host (RFC 9112 §3.2). Node, asked to see to it, answers nothing but a status. */
export function refuseWithoutHost(request: IncomingMessage, response: ServerResponse, count: Count): boolean {
  if (request.headers.host !== undefined || request.httpVersion !== "1.1") return false;
  refuse(response, new ProblemError("BAD_REQUEST", "The request has no Host header."), count);
  return true;
}

export function refuseExpectations(server: Server, count: Count): void {
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    const asked = JSON.stringify(String(request.headers.expect).slice(0, 100));
    refuse(
      response,
      new ProblemError("EXPECTATION_FAILED", `Nobody here can do what Expect: ${asked} asks for.`),
      count,
    );
  });
}

function refuse(response: ServerResponse, refusal: ProblemError, count: Count): void {
  count(refusal.code);
  const { status, headers, text } = answerOf(refusal);
  response.writeHead(status, headers).end(text);
}

function refusalOf(error: Error & { code?: string; reason?: unknown }): ProblemError {
  if (error.code === "HPE_HEADER_OVERFLOW")
    return new ProblemError("HEADERS_TOO_LARGE", "The headers are longer than 16 KiB.");
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new ProblemError("REQUEST_TIMEOUT", "The request did not arrive in time.", { nextStep: "Send it again." });
  const why = typeof error.reason === "string" ? error.reason : error.message;
  return new ProblemError("BAD_REQUEST", `This is not HTTP that can be read: ${why.slice(0, 200)}.`);
}

/** What follows on such a connection is not to be trusted: it ends. */
function answerOf(refusal: ProblemError) {
  const problem = refusal.toProblem();
  const text = JSON.stringify(problem);
  const headers = {
    "content-type": PROBLEM_MEDIA_TYPE,
    "content-length": String(Buffer.byteLength(text)),
    "x-content-type-options": "nosniff",
    connection: "close",
  };
  return { status: problem.status, headers, text };
}
