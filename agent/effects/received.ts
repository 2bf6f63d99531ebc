// Everything a connection delivered, up to the very byte it was cut at: a stream that fails throws its buffer away, this does not.
import type { Readable } from "node:stream";

/** Beyond this the sender is made to wait. */
const QUEUE_BYTES = 1024 * 1024;

/**
 * Call it as soon as the stream exists: what arrives before someone listens may be lost with the connection.
 * @returns the chunks in order; after the last one received it throws what cut the stream, if anything did
 */
export function received(stream: Readable): AsyncGenerator<Buffer> {
  const queue: Buffer[] = [];
  let queuedBytes = 0;
  const ending: { as: { error: unknown } | null } = { as: null };
  let wake: () => void = () => undefined;
  const finish = (error: unknown) => {
    ending.as ??= { error };
    wake();
  };
  stream.on("data", (chunk: Buffer) => {
    queue.push(chunk);
    queuedBytes += chunk.length;
    if (queuedBytes > QUEUE_BYTES) stream.pause();
    wake();
  });
  stream.once("end", () => finish(null));
  stream.once("error", finish);
  stream.once("close", () => finish(new Error("the connection was closed in the middle")));

  return (async function* chunks() {
    for (;;) {
      const chunk = queue.shift();
      if (chunk) {
        queuedBytes -= chunk.length;
        if (queuedBytes <= QUEUE_BYTES && stream.isPaused()) stream.resume();
        yield chunk;
      } else if (ending.as) {
        if (ending.as.error !== null) throw ending.as.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  })();
}
