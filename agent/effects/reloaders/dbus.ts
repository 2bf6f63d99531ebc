// Reloads by restarting a unit of the host over D-Bus, and watches that it comes up and stays up.
import { pause } from "../pause.ts";
import { reloadFailed, type Reloader } from "./reloader.ts";
import type { SystemdManager, UnitState } from "./systemd-manager.ts";

const LOOK_EVERY_MS = 250;
/** This many restarts by systemd itself since the reload are a crash loop. */
const CRASHES = 3;
const SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket";

/** @param address of the bus; DBUS_SYSTEM_BUS_ADDRESS when it is set */
export function dbusReloader(unit: string, address = process.env["DBUS_SYSTEM_BUS_ADDRESS"] ?? SYSTEM_BUS): Reloader {
  let restartsBefore = 0;
  /** The connection lives as long as one question: an idle agent holds no bus. */
  const asking = async <T>(ask: (manager: SystemdManager) => Promise<T>): Promise<T> => {
    const { systemdManager } = await import("./systemd-manager.ts");
    const manager = systemdManager(address);
    try {
      return await ask(manager);
    } finally {
      manager.close();
    }
  };

  return {
    takes: "at-once",
    reload: ({ file, budgetMs }, signal) =>
      asking(async (manager) => {
        const before = await manager.state(unit);
        restartsBefore = before.ok ? before.value.restarts : 0;
        const asked = await (file === null ? manager.stop(unit) : manager.restart(unit));
        if (!asked.ok) return reloadFailed(`${unit} was not restarted: ${asked.message}`);
        const deadline = performance.now() + budgetMs;
        // What was counted before is forgotten by a manual restart.
        restartsBefore = 0;
        for (;;) {
          const now = await manager.state(unit);
          if (now.ok && isThere(now.value, file !== null)) return { ok: true };
          const crash = now.ok ? crashWords(unit, now.value, restartsBefore) : null;
          if (crash) return reloadFailed(crash);
          if (performance.now() >= deadline) {
            return reloadFailed(`${unit} did not come up in time${now.ok ? ` (${now.value.activeState})` : ""}`);
          }
          await pause(LOOK_EVERY_MS, signal);
          signal.throwIfAborted();
        }
      }),
    isCrashing: () =>
      asking(async (manager) => {
        const now = await manager.state(unit);
        return now.ok ? crashWords(unit, now.value, restartsBefore) : null;
      }),
  };
}

function isThere({ activeState }: UnitState, isWanted: boolean): boolean {
  return isWanted ? activeState === "active" : activeState === "inactive" || activeState === "failed";
}

function crashWords(unit: string, { activeState, subState, restarts }: UnitState, before: number): string | null {
  if (activeState === "failed") return `${unit} failed (${subState}); systemd gave up starting it`;
  return restarts - before >= CRASHES ? `${unit} ended and was started again ${restarts - before} times` : null;
}
