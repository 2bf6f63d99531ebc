// Watches a unit of the host over D-Bus: whether another process came up, and whether processes end again and again.
import { existsSync } from "node:fs";
import type { SystemdManager, UnitState } from "./systemd-manager.ts";

/** This many restarts by systemd itself are a crash loop; one may be memory that the old process had not given back yet. */
const CRASHES = 2;
const SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket";

export interface UnitWatch {
  /** The connection lives as long as one question: an idle agent holds no bus, and no library for one. */
  asking<T>(ask: (manager: SystemdManager) => Promise<T>): Promise<T>;
  /** From now on restarts are counted anew. */
  begin(state: UnitState | null): void;
  /** @returns in words that the unit failed or is restarted again and again */
  crashOf(state: UnitState): string | null;
  /** The same, asked of the bus; null where there is no bus, or it says nothing. */
  isCrashing(): Promise<string | null>;
}

/** @param address of the bus; DBUS_SYSTEM_BUS_ADDRESS when it is set */
export function watchUnit(unit: string, address = process.env["DBUS_SYSTEM_BUS_ADDRESS"] ?? SYSTEM_BUS): UnitWatch {
  /** Null: not known, so the first look counts as the beginning. An agent that was restarted knows nothing of old crashes. */
  let restartsBefore: number | null = null;
  const watch: UnitWatch = {
    async asking(ask) {
      const { systemdManager } = await import("./systemd-manager.ts");
      const manager = systemdManager(address);
      try {
        return await ask(manager);
      } finally {
        manager.close();
      }
    },
    begin(state) {
      restartsBefore = state?.restarts ?? null;
    },
    crashOf({ activeState, subState, restarts }) {
      if (activeState === "failed") return `${unit} failed (${subState}); systemd gave up starting it`;
      // Restarting a unit by hand has its counter begin anew.
      restartsBefore = Math.min(restartsBefore ?? restarts, restarts);
      const crashes = restarts - restartsBefore;
      return crashes >= CRASHES ? `${unit} ended and was started again ${crashes} times` : null;
    },
    async isCrashing() {
      if (!isThere(address)) return null;
      const now = await watch.asking((manager) => manager.state(unit));
      return now.ok ? watch.crashOf(now.value) : null;
    },
  };
  return watch;
}

/** In a pod there is no bus, and asking one that is not there takes time. */
function isThere(address: string): boolean {
  const path = /^unix:path=([^,;]+)/.exec(address)?.[1];
  return path === undefined || existsSync(path);
}
