// What every hub does for itself, leader or not: tells who came and went, and writes down now and then who was seen when.
import type { Logger } from "pino";
import type { Changes } from "./changes.ts";
import type { Presence } from "./presence.ts";

interface Parts {
  presence: Presence;
  changes: Changes;
  log: Pick<Logger, "error">;
}

const LOOK_MS = 1_000;
/** A crash forgets no more than this about when a device was seen. */
export const FLUSH_MS = 300_000;

export function startPulse({ presence, changes, log }: Parts, flushMs = FLUSH_MS): { stop(): Promise<void> } {
  let flushing: Promise<void> = Promise.resolve();
  const flush = () => {
    flushing = flushing
      .then(() => presence.flush())
      .catch((error: unknown) => log.error({ err: error }, "last-seen times could not be written; tried again later"));
    return flushing;
  };
  const looks = setInterval(() => {
    const devices = presence.changed();
    if (devices.length > 0) changes.touch({ devices: new Set(devices) });
  }, LOOK_MS);
  const flushes = setInterval(() => void flush(), flushMs);
  return {
    async stop() {
      clearInterval(looks);
      clearInterval(flushes);
      await flush();
    },
  };
}
