// Reloads by restarting a unit of the host over D-Bus, and watches that it comes up and stays up.
import { pause } from "../pause.ts";
import { notNow, type Reloaded, type Reloader, reloaderOff, reloadFailed } from "./reloader.ts";
import type { Called, SystemdManager, UnitState } from "./systemd-manager.ts";
import { type UnitWatch, watchUnit } from "./unit-watch.ts";

const UNIT_STEP = "Name the unit of the inference service in AGENT_UNIT.";
const BUS_STEP = "Check that the agent reaches the bus of systemd, /run/dbus/system_bus_socket.";
const LOOK_EVERY_MS = 200;

/** @param bus its address; DBUS_SYSTEM_BUS_ADDRESS, or the system's, when it is left out */
export function dbusReloader(unit: string, bus?: string): Reloader {
  const watch = watchUnit(unit, bus);
  const { address } = watch;
  return {
    takes: "at-once",
    async obstacle(signal) {
      const { withSystemd } = await import("./systemd-manager.ts");
      const now = await withSystemd(address, signal, (manager) => manager.state(unit));
      if (!now.ok) return notNow(`systemd cannot be asked for ${unit}: ${now.message}`, BUS_STEP);
      return now.value.loadState === "not-found" ? notNow(`the host has no unit ${unit}`, UNIT_STEP) : null;
    },
    async reload({ file, budgetMs }, signal) {
      const deadline = performance.now() + budgetMs;
      const { withSystemd } = await import("./systemd-manager.ts");
      const result = await withSystemd(address, signal, (manager) =>
        file === null ? stop(manager, watch, deadline, signal) : restart(manager, watch, deadline, signal),
      );
      return "message" in result ? refused(unit, result) : result;
    },
    isCrashing: (signal) => watch.isCrashing(signal),
  };
}

async function restart(manager: SystemdManager, watch: UnitWatch, deadline: number, signal: AbortSignal) {
  const { unit } = watch;
  const before = await manager.state(unit);
  if (!before.ok) return refused(unit, before);
  if (before.value.loadState === "not-found") return notFound(unit);
  const asked = await manager.queue("RestartUnit", unit);
  if (!asked.ok) return refused(unit, asked);
  watch.restarted();
  // The answer means that the job is queued: for an instant the old process is still "active". Only another invocation
  // is the new one; where systemd does not tell them apart, the end of the job has to do.
  const isNew = ({ invocation, hasJob }: UnitState) =>
    !hasJob && (invocation === "" || invocation !== before.value.invocation);
  return lookUntil(manager, watch, (now) => now.activeState === "active" && isNew(now), isNew, deadline, signal);
}

async function stop(manager: SystemdManager, watch: UnitWatch, deadline: number, signal: AbortSignal) {
  const asked = await manager.queue("StopUnit", watch.unit);
  if (!asked.ok) return refused(watch.unit, asked);
  const isDown = ({ activeState }: UnitState) => activeState === "inactive" || activeState === "failed";
  return lookUntil(
    manager,
    watch,
    (now) => isDown(now) && !now.hasJob,
    () => false,
    deadline,
    signal,
  );
}

/** @param mayCrash whether this state is of the new process, so that a failure is its own */
async function lookUntil(
  manager: SystemdManager,
  watch: UnitWatch,
  isThere: (now: UnitState) => boolean,
  mayCrash: (now: UnitState) => boolean,
  deadline: number,
  signal: AbortSignal,
): Promise<Reloaded> {
  for (;;) {
    const now = await manager.state(watch.unit);
    if (now.ok && isThere(now.value)) return { ok: true };
    const crash = now.ok && mayCrash(now.value) ? watch.crash(now.value) : null;
    if (crash !== null) return reloadFailed(crash);
    if (performance.now() >= deadline) {
      const stands = now.ok ? `it is ${now.value.activeState} (${now.value.subState})` : now.message;
      return reloadFailed(`${watch.unit} was not there in time: ${stands}`);
    }
    await pause(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

function refused(unit: string, { message, isDenied }: Extract<Called<never>, { ok: false }>): Reloaded {
  if (!isDenied) {
    return reloaderOff(`systemd could not be asked to restart ${unit}: ${message}`, BUS_STEP);
  }
  return reloaderOff(
    `systemd refused to restart ${unit}: ${message}; the agent needs root or a polkit rule for this unit`,
    "Run the agent as root, install systemd/50-context-edge.rules, or use AGENT_RELOADER=systemd-path, which needs no right. " +
      "AppArmor on Ubuntu keeps the bus from confined containers altogether.",
  );
}

const notFound = (unit: string): Reloaded => reloaderOff(`the host has no unit ${unit}`, UNIT_STEP);
