// Tells systemd how the agent is (sd_notify(3)): that it runs, what it is about, and, as long as every loop moves, that it need not be started again.
import type { Logger } from "pino";
import { pause } from "./pause.ts";
import { runCommand } from "./run-command.ts";
import type { Vitals } from "./vitals.ts";

/** Null where nobody wants to know: started by hand, in a container, by another init. */
export interface ServiceManager {
  /** Without a sign of life for this long, systemd kills the process and starts it again; null: it does not watch. */
  watchdogMs: number | null;
  tell(words: readonly string[]): Promise<void>;
}

export interface Telling {
  manager: ServiceManager;
  vitals: Vitals;
  /** One line for `systemctl status`. */
  status: () => string;
  log: Logger;
}

/** Also without a watchdog: what `systemctl status` shows should not be old. */
const REFRESH_MS = 60_000;
const TELL_WITHIN_MS = 10_000;

/** @param environment `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`, as systemd sets them */
export function serviceManager(environment: NodeJS.ProcessEnv, pid: number): ServiceManager | null {
  if (!environment["NOTIFY_SOCKET"]) return null;
  const isOurs = [undefined, String(pid)].includes(environment["WATCHDOG_PID"]);
  const watchdogMs = Number(environment["WATCHDOG_USEC"] ?? 0) / 1_000;
  return {
    watchdogMs: isOurs && watchdogMs > 0 ? watchdogMs : null,
    async tell(words) {
      // Node has no datagram sockets of the file system, and systemd's own program is wherever systemd is.
      const signal = new AbortController().signal;
      await runCommand(["systemd-notify", ...words], { deadlineMs: TELL_WITHIN_MS, environment: {}, signal });
    },
  };
}

/** Until `stop`. Call it once the agent has its lock and answers: that is what "ready" means. */
export async function keepTelling({ manager, vitals, status, log }: Telling, stop: AbortSignal): Promise<void> {
  const everyMs = Math.min(REFRESH_MS, (manager.watchdogMs ?? Infinity) / 3);
  let said: string | null = null;
  while (!stop.aborted) {
    const stuck = vitals.stuck();
    if (stuck !== null && said === null) log.fatal(`the agent stands still and waits to be started again: ${stuck}`);
    said = stuck;
    // Ready each time: before systemd 246 a word may be lost, because its sender was gone too soon to be recognised.
    await manager.tell(
      stuck === null ? ["READY=1", "WATCHDOG=1", `STATUS=${status()}`] : [`STATUS=stands still: ${stuck}`],
    );
    await pause(everyMs, stop);
  }
  await manager.tell(["STOPPING=1", "STATUS=stopping"]);
}
