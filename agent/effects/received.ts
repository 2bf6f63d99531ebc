// A response as it comes in: the head, then the body in batches of all that arrived, up to the very byte it was cut at.
import type { Dispatcher } from "undici";
import type { ReadBuffers } from "./read-buffers.ts";

export interface Head {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Body {
  /**
   * Everything that arrived and was not taken yet; waits for the first byte. A batch is valid until the next call, then
   * its memory is lent to the socket again.
   * @returns null at the end of a body that ended in good order; after the last byte received it throws what cut the body
   */
  take(): Promise<readonly Buffer[] | null>;
  /** Ends the connection; a `take` that waits throws `reason`. */
  close(reason?: Error): void;
}

/** Beyond this the sender is made to wait. */
const QUEUE_BYTES = 1024 * 1024;
const QUEUE_CHUNKS = 128;

/** @returns the head once it is there, with the body still to be taken; rejects when none comes */
export function receive(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  buffers: ReadBuffers,
  queueBytes: number = QUEUE_BYTES,
): Promise<{ head: Head; body: Body }> {
  const queue = { chunks: [] as Buffer[], bytes: 0 };
  let taken: readonly Buffer[] = [];
  let ending: { error: Error | null } | null = null;
  const goesOn = () => ending === null;
  let controller: Dispatcher.DispatchController | null = null;
  let wake: () => void = () => undefined;
  const end = (error: Error | null) => {
    ending ??= { error };
    wake();
  };

  const body: Body = {
    async take() {
      buffers.passed(taken);
      while (queue.chunks.length === 0 && goesOn()) {
        if (controller?.paused === true) controller.resume();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      taken = queue.chunks;
      queue.chunks = [];
      queue.bytes = 0;
      // The next bytes come in while these are written.
      if (goesOn() && controller?.paused === true) controller.resume();
      if (taken.length > 0) return taken;
      const { error } = ending ?? { error: null };
      if (error) throw error;
      return null;
    },
    close(reason = new Error("the download was closed")) {
      end(reason);
      void dispatcher.destroy(reason);
    },
  };

  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, {
      onRequestStart(started) {
        controller = started;
      },
      onResponseStart(_controller, status, headers) {
        if (status >= 200) resolve({ head: { status, headers }, body });
      },
      onResponseData(_controller, chunk) {
        queue.chunks.push(chunk);
        queue.bytes += chunk.length;
        if (queue.bytes >= queueBytes || queue.chunks.length >= QUEUE_CHUNKS) controller?.pause();
        wake();
      },
      onResponseEnd: () => end(null),
      onResponseError(_controller, error) {
        end(error);
        reject(error);
      },
    });
  });
}
