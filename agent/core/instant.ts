// Instants: milliseconds since the epoch inside the core, RFC 3339 at its edges.
import type { Timestamp } from "@context-edge/protocol";

/** @param ms milliseconds since 1970 */
export function timestamp(ms: number): Timestamp {
  return new Date(ms).toISOString();
}

/** @returns milliseconds since 1970; the schema has already refused anything that is no instant. */
export function instant(at: Timestamp): number {
  return Date.parse(at);
}
