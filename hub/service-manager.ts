// Tells systemd how the hub is (sd_notify(3)): ready once it listens, alive as long as its conductor's rounds end, stopping when it drains.
import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";

export interface Telling {
  /** Milliseconds since the conductor last came to the end of a round. */
  sinceRoundMs: () => number;
  /** One line for `systemctl status`. */
  status: () => string;
  log: Pick<Logger, "fatal">;
}

export interface ServiceManager {
  /** Until `stop`; then says that the hub stops. */
  keepTelling(telling: Telling, stop: AbortSignal): Promise<void>;
}

/** Also without a watchdog: what `systemctl status` shows should not be old. */
const REFRESH_MS = 60_000;
const TELL_WITHIN_MS = 10_000;
/** A round waits for a database that is away; one that still waits after this will wait for ever. */
const ROUND_MS = 10 * 60_000;

/** @param environment `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`, as systemd sets them. @returns null where nobody wants to know */
export function serviceManager(environment: NodeJS.ProcessEnv, pid: number): ServiceManager | null {
  if (!environment["NOTIFY_SOCKET"]) return null;
  const isOurs = [undefined, String(pid)].includes(environment["WATCHDOG_PID"]);
  const watchdogMs = isOurs ? Number(environment["WATCHDOG_USEC"] ?? 0) / 1_000 : 0;
  const everyMs = watchdogMs > 0 ? Math.min(REFRESH_MS, watchdogMs / 3) : REFRESH_MS;
  return {
    async keepTelling({ sinceRoundMs, status, log }, stop) {
      let hasStopped = false;
      while (!stop.aborted) {
        const stands = sinceRoundMs() > ROUND_MS;
        if (stands && !hasStopped) log.fatal("the conductor stands still; the hub waits to be started again");
        hasStopped = stands;
        await tell(stands ? ["STATUS=the conductor stands still"] : ["READY=1", "WATCHDOG=1", `STATUS=${status()}`]);
        await pause(everyMs, undefined, { signal: stop }).catch(() => undefined);
      }
      await tell(["STOPPING=1", "STATUS=draining"]);
    },
  };
}

/** Node has no datagram sockets of the file system, and systemd's own program is wherever systemd is. A word that is lost is said again. */
function tell(words: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    execFile("systemd-notify", [...words], { timeout: TELL_WITHIN_MS }, () => resolve());
  });
}
