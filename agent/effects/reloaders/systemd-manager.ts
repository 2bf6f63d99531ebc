// The few calls the agent makes to systemd over D-Bus: restart a unit, and how it stands (org.freedesktop.systemd1(5)).
import { createClient, type MessageBus, variantValue } from "dbus-native";
import { describe } from "../../errors.ts";

export interface UnitState {
  /** `active`, `activating`, `failed`, … */
  activeState: string;
  subState: string;
  /** How often systemd restarted it by itself. */
  restarts: number;
  /** Changes with every start; null before systemd 232, and while the unit was never started. */
  invocation: string | null;
  /** Whether the host has such a unit. */
  isKnown: boolean;
}

export type Called<T> = { ok: true; value: T } | { ok: false; message: string };

export interface SystemdManager {
  restart(unit: string): Promise<Called<null>>;
  stop(unit: string): Promise<Called<null>>;
  state(unit: string): Promise<Called<UnitState>>;
  close(): void;
}

const NAME = "org.freedesktop.systemd1";
const PATH = "/org/freedesktop/systemd1";
const MANAGER = `${NAME}.Manager`;
const CALL_MS = 10_000;

/** @param address `unix:path=/run/dbus/system_bus_socket`, or a test's own bus */
export function systemdManager(address: string): SystemdManager {
  const bus: MessageBus = createClient({ busAddress: address });
  let broken: string | null = null;
  // Without a listener a refused connection would end the process.
  bus.connection.on("error", (error: unknown) => {
    broken = describe(error);
  });

  const call = async <T>(
    path: string,
    member: string,
    signature: string,
    body: unknown[],
    from = MANAGER,
  ): Promise<Called<T>> => {
    try {
      if (broken !== null) throw new Error(broken);
      const message = { destination: NAME, path, interface: from, member, signature, body };
      const asked: PromiseLike<T> = bus.invokeDbus<T>({ ...message, type: 1 });
      return { ok: true, value: await inTime(asked) };
    } catch (error) {
      return { ok: false, message: refusal(named(error)) };
    }
  };
  const onUnit = async (member: string, unit: string): Promise<Called<null>> => {
    // A start limit reached by a broken engine would refuse the very restart that brings the old one back.
    await call(PATH, "ResetFailedUnit", "s", [unit]);
    const done = await call(PATH, member, "ss", [unit, "replace"]);
    return done.ok ? { ok: true, value: null } : done;
  };
  const property = async (path: string, from: string, name: string): Promise<unknown> => {
    const got = await call<unknown>(path, "Get", "ss", [from, name], "org.freedesktop.DBus.Properties");
    return got.ok ? variantValue(got.value) : undefined;
  };

  return {
    restart: (unit) => onUnit("RestartUnit", unit),
    stop: (unit) => onUnit("StopUnit", unit),
    async state(unit) {
      const found = await call<string>(PATH, "LoadUnit", "s", [unit]);
      if (!found.ok) return found;
      const activeState = await property(found.value, `${NAME}.Unit`, "ActiveState");
      const subState = await property(found.value, `${NAME}.Unit`, "SubState");
      const restarts = await property(found.value, `${NAME}.Service`, "NRestarts");
      const invocation = await property(found.value, `${NAME}.Unit`, "InvocationID");
      const loadState = await property(found.value, `${NAME}.Unit`, "LoadState");
      if (typeof activeState !== "string") return { ok: false, message: `${unit} says nothing of its state` };
      return {
        ok: true,
        value: {
          activeState,
          subState: String(subState),
          restarts: Number(restarts ?? 0),
          invocation: hex(invocation),
          isKnown: loadState !== "not-found",
        },
      };
    },
    close: () => void bus.connection.end(),
  };
}

/** @returns null for anything but 16 bytes */
function hex(id: unknown): string | null {
  return id instanceof Uint8Array && id.length === 16 ? Buffer.from(id).toString("hex") : null;
}

async function inTime<T>(asked: PromiseLike<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("systemd did not answer in time")), CALL_MS);
  try {
    return await Promise.race([asked, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error's name on the bus says more than its text. */
function named(error: unknown): string {
  const name = error instanceof Error && "dbusName" in error ? String(error.dbusName) : "";
  return [name, describe(error)].filter((word) => word !== "" && word !== "undefined").join(": ");
}

function refusal(message: string): string {
  const isDenied = /AccessDenied|InteractiveAuthorizationRequired|not permitted|authentication/i.test(message);
  return isDenied ? `systemd refused: ${message}; the agent needs root or a polkit rule for this unit` : message;
}
