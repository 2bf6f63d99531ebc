// Whether a unit of systemd ends again and again: told early, so that nobody waits a whole budget for it.
import type { UnitState } from "./systemd-manager.ts";

/** This many restarts by systemd itself are a crash loop; one may be memory that the old process had not given back yet. */
const CRASHES = 2;
const LOOK_BACK_MS = 10 * 60_000;
const SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket";

export interface UnitWatch {
  unit: string;
  address: string;
  /** A restart by hand: systemd begins to count anew. */
  restarted(): void;
  /** @returns words when the unit failed or loops */
  crash(state: UnitState): string | null;
  /** Asks systemd; null as well where there is no bus to ask. */
  isCrashing(signal: AbortSignal): Promise<string | null>;
}

/** @param address of the bus; DBUS_SYSTEM_BUS_ADDRESS when it is set */
export function watchUnit(unit: string, address = process.env["DBUS_SYSTEM_BUS_ADDRESS"] ?? SYSTEM_BUS): UnitWatch {
  /** What systemd had counted, and when: a unit that ended three times in a year is no crash loop. */
  let from: { restarts: number; at: number } | null = null;

  const crash = ({ activeState, subState, restarts }: UnitState): string | null => {
    if (activeState === "failed") return `${unit} failed (${subState}); systemd gave up starting it`;
    const at = performance.now();
    if (from === null || restarts < from.restarts || at - from.at > LOOK_BACK_MS) from = { restarts, at };
    const times = restarts - from.restarts;
    return times >= CRASHES ? `${unit} ended and was started again ${times} times` : null;
  };
  return {
    unit,
    address,
    restarted() {
      from = { restarts: 0, at: performance.now() };
    },
    crash,
    async isCrashing(signal) {
      const { withSystemd } = await import("./systemd-manager.ts");
      const now = await withSystemd(address, signal, (manager) => manager.state(unit));
      return now.ok ? crash(now.value) : null;
    },
  };
}
