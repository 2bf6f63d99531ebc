// The stream of server-sent events, read message by message; says when it is open, cut, or given up for good.
import { LiveMessage } from "@context-edge/protocol";

/** What is needed of an EventSource; a test brings its own. */
export interface EventStream {
  readonly readyState: number;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (message: { data: string }) => void): void;
  close(): void;
}

export interface StreamListener {
  /** Connected, for the first time or again: whatever happened before is to be fetched. */
  onOpen(): void;
  onMessage(message: LiveMessage): void;
  /** Cut; the browser tries again by itself. */
  onCut(): void;
  /** Given up: only a new stream helps. */
  onGivenUp(): void;
}

const CLOSED = 2;

/** @returns a function that closes the stream; its listener hears nothing afterwards. */
export function followEvents(stream: EventStream, listener: StreamListener): () => void {
  let isFollowed = true;
  stream.addEventListener("open", () => {
    if (isFollowed) listener.onOpen();
  });
  stream.addEventListener("message", ({ data }) => {
    if (isFollowed) listener.onMessage(readMessage(data));
  });
  stream.addEventListener("error", () => {
    if (!isFollowed) return;
    // After a cut connection the browser tries again; after any answer but 200 it never does (WHATWG HTML §9.2.3).
    if (stream.readyState === CLOSED) listener.onGivenUp();
    else listener.onCut();
  });
  return () => {
    isFollowed = false;
    stream.close();
  };
}

/** What cannot be read may have been anything, so everything is to be fetched anew. */
function readMessage(data: string): LiveMessage {
  try {
    return LiveMessage.parse(JSON.parse(data));
  } catch {
    return { type: "reset" };
  }
}
