// The hub's server-sent events, read until told to stop: reconnects by itself and resumes where the connection broke.
import { setTimeout as delay } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import { z } from "zod";
import type { HubClient } from "./hub-client.ts";

interface Reader {
  /** One message's JSON. */
  onMessage(message: unknown): void;
  /** Connected (again): what happened in between may have been missed. */
  onOpen(): void;
  onLost(): void;
}

const RECONNECT_MS = 1_000;
/** The hub says something every 15 s. */
const SILENCE_MS = 45_000;

/** Never throws: whoever listens must be able to live on polling alone. */
export async function readLive(hub: HubClient, reader: Reader, signal: AbortSignal): Promise<void> {
  let lastId: string | undefined;
  while (!signal.aborted) {
    const parser = createParser({
      onEvent: ({ id, data }) => {
        lastId = id ?? lastId;
        const message = z.json().safeParse(safeJson(data));
        if (message.success) reader.onMessage(message.data);
      },
    });
    try {
      const stream = hub.wire.stream("api/v1/events", {
        signal,
        retry: { limit: 0 },
        timeout: { connect: 5_000, response: 10_000, socket: SILENCE_MS },
        headers: { accept: "text/event-stream", ...(lastId === undefined ? {} : { "last-event-id": lastId }) },
      });
      stream.once("response", (response: { statusCode: number }) => {
        if (response.statusCode === 200) reader.onOpen();
        else stream.destroy();
      });
      const decoder = new TextDecoder();
      for await (const chunk of stream) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    } catch {
      // Broken, refused or told to stop: the loop decides.
    }
    if (signal.aborted) return;
    reader.onLost();
    await delay(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
