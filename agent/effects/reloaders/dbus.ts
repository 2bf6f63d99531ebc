// Reloads by restarting a unit of the host over D-Bus, and watches that it comes up and stays up.
import { pause } from "../pause.ts";
import { notNow, reloadFailed, type Reloader } from "./reloader.ts";
import type { UnitState } from "./systemd-manager.ts";
import { watchUnit } from "./unit-watch.ts";

const LOOK_EVERY_MS = 250;

/** @param address of the bus; DBUS_SYSTEM_BUS_ADDRESS, or the system's, when it is left out */
export function dbusReloader(unit: string, address?: string): Reloader {
  const watch = watchUnit(unit, address);
  return {
    takes: "at-once",
    obstacle: () =>
      watch.asking(async (manager) => {
        const now = await manager.state(unit);
        if (!now.ok) return notNow(now.message, "Check that the agent reaches the system's D-Bus.");
        return now.value.isKnown ? null : notNow(`the host has no unit ${unit}`, "Check AGENT_UNIT.");
      }),
    reload: ({ file, budgetMs }, signal) =>
      watch.asking(async (manager) => {
        const before = await manager.state(unit);
        const asked = await (file === null ? manager.stop(unit) : manager.restart(unit));
        if (!asked.ok) return reloadFailed(`${unit} was not restarted: ${asked.message}`);
        const old = before.ok ? before.value.invocation : null;
        const deadline = performance.now() + budgetMs;
        // What was counted before is forgotten by a restart by hand.
        watch.begin(before.ok ? { ...before.value, restarts: 0 } : null);
        for (;;) {
          const now = await manager.state(unit);
          if (now.ok && isDone(now.value, file === null ? "gone" : "up", old)) return { ok: true };
          const crash = now.ok && isNew(now.value, old) ? watch.crashOf(now.value) : null;
          if (crash) return reloadFailed(crash);
          if (performance.now() >= deadline) {
            return reloadFailed(`${unit} did not come up in time${now.ok ? ` (${now.value.activeState})` : ""}`);
          }
          await pause(LOOK_EVERY_MS, signal);
          signal.throwIfAborted();
        }
      }),
    isCrashing: () => watch.isCrashing(),
  };
}

function isDone(state: UnitState, wanted: "up" | "gone", old: string | null): boolean {
  if (wanted === "gone") return state.activeState === "inactive" || state.activeState === "failed";
  return state.activeState === "active" && isNew(state, old);
}

/** The job may still be waiting while the answer is back: then the process that is active is the old one. */
function isNew({ invocation }: UnitState, old: string | null): boolean {
  return invocation === null || old === null || invocation !== old;
}
