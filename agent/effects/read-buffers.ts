// Read buffers that go round: fresh ones for every read would leave tens of megabytes to the garbage collector.
import type { Socket } from "node:net";

export interface ReadBuffers {
  /** For `net.connect` and `tls.connect` (Node's `onread` option). */
  onread: { buffer: () => Uint8Array; callback: (this: void, bytes: number, buffer: Uint8Array) => boolean };
  /** These chunks are on the disk: whatever arrived before the last of them may be written over. */
  passed(chunks: readonly Uint8Array[]): void;
}

/** A read this much smaller than its buffer is copied, so that a slow link cannot hold a large buffer per packet. */
const SMALL = 1 / 16;
const POOL_BYTES = 2 * 1024 * 1024;

/**
 * One pool serves one connection. Bytes arrive in order: once a chunk of a later buffer came out of the parser, the parser
 * is done with every earlier one. Only then, and when its chunks are on the disk, a buffer is lent again.
 * @param sizeBytes of one buffer: TLS never hands out more than a record of 16 kB, plain TCP as much as fits
 */
export function readBuffers(sizeBytes: number): ReadBuffers {
  const free: Uint8Array[] = [];
  const filled: Uint8Array[] = [];
  const give = (buffer: Uint8Array) => {
    if (free.length < POOL_BYTES / sizeBytes) free.push(buffer);
  };
  return {
    onread: {
      // Slow memory (not from Node's own pool), so that each buffer is an ArrayBuffer of its own and can be told apart.
      buffer: () => free.pop() ?? Buffer.allocUnsafeSlow(sizeBytes),
      callback: function receive(this: unknown, bytes: number, buffer: Uint8Array): boolean {
        const socket = this as Socket;
        if (bytes < sizeBytes * SMALL) {
          const copy = Buffer.from(buffer.subarray(0, bytes));
          give(buffer);
          return socket.push(copy);
        }
        filled.push(buffer);
        // Chunks that the stream glued together tell nothing of their buffers; such ones are left to the collector.
        if (filled.length > (2 * POOL_BYTES) / sizeBytes) filled.shift();
        return socket.push(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
      },
    },
    passed(chunks) {
      const last = chunks.findLast((chunk) => filled.some((buffer) => buffer.buffer === chunk.buffer));
      const at = filled.findIndex((buffer) => buffer.buffer === last?.buffer);
      for (const buffer of filled.splice(0, Math.max(0, at))) give(buffer);
    },
  };
}
