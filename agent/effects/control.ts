// How the command line talks to the running agent: one line of JSON each way over the lock's own socket.
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { ModelName } from "@context-edge/protocol";
import { z } from "zod";
import { describe } from "../errors.ts";
import { callHolder, type Lock } from "./lock.ts";

export const ControlRequest = z.discriminatedUnion("do", [
  z.object({ do: z.literal("status") }),
  z.object({ do: z.literal("check") }),
  z.object({
    do: z.literal("hold"),
    hours: z
      .number()
      .positive()
      .max(24 * 90),
    reason: z.string().max(500),
  }),
  z.object({ do: z.literal("release") }),
  z.object({ do: z.literal("rollback"), model: ModelName }),
  z.object({ do: z.literal("diagnose") }),
  z.object({ do: z.literal("forget") }),
  /** Sealed envelopes from a stick. */
  z.object({ do: z.literal("documents"), manifest: z.unknown(), assignment: z.unknown() }),
]);
export type ControlRequest = z.infer<typeof ControlRequest>;

export const ControlReply = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), data: z.unknown() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string(), next_step: z.string() }),
]);
export type ControlReply = z.infer<typeof ControlReply>;

const DEADLINE_MS = 30_000;
/** A manifest with its golden samples is the longest. */
const LINE_LIMIT_BYTES = 32 * 1024 * 1024;

/** Who may write to the socket is settled by the file system: the agent's own user, and root. */
export function answerOn(lock: Lock, answer: (request: ControlRequest) => Promise<ControlReply>): void {
  lock.answer((socket) => {
    socket.setTimeout(DEADLINE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    let length = 0;
    socket.on("data", (chunk) => {
      length += chunk.length;
      if (length > LINE_LIMIT_BYTES) socket.destroy();
    });
    createInterface({ input: socket }).once("line", (line) => {
      void replyTo(line, answer).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
    });
  });
}

async function replyTo(
  line: string,
  answer: (request: ControlRequest) => Promise<ControlReply>,
): Promise<ControlReply> {
  try {
    const request = ControlRequest.safeParse(JSON.parse(line));
    if (!request.success) return refusal("BAD_REQUEST", "the running agent does not understand this command");
    return await answer(request.data);
  } catch (error) {
    return refusal("INTERNAL", describe(error));
  }
}

/** @returns null when no agent holds the lock of this directory. */
export async function askAgent(ownDir: string, request: ControlRequest): Promise<ControlReply | null> {
  const socket = await callHolder(ownDir);
  if (!socket) return null;
  socket.write(`${JSON.stringify(request)}\n`);
  const line = await firstLine(socket);
  socket.destroy();
  if (line === null) return refusal("NO_ANSWER", "the running agent did not answer");
  const reply = ControlReply.safeParse(JSON.parse(line));
  return reply.success ? reply.data : refusal("NO_ANSWER", "the running agent's answer was not understood");
}

function firstLine(socket: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    socket.setTimeout(DEADLINE_MS, () => resolve(null));
    socket.once("error", () => resolve(null));
    const lines = createInterface({ input: socket });
    lines.once("line", resolve);
    lines.once("close", () => resolve(null));
  });
}

function refusal(code: string, message: string): ControlReply {
  return { ok: false, code, message, next_step: "Look at the agent's log on the device." };
}
