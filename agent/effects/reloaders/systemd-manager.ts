// The few calls the agent makes to systemd over D-Bus: restart a unit, and how it stands (org.freedesktop.systemd1(5)).
import { createClient, type MessageBus, variantValue } from "dbus-native";
import { describe } from "../../errors.ts";

export interface UnitState {
  /** `active`, `activating`, `failed`, … */
  activeState: string;
  subState: string;
  /** `loaded`; `not-found` when there is no such unit. */
  loadState: string;
  /** How often systemd restarted it by itself since it was last started or reset by hand. */
  restarts: number;
  /** Another one for every start; empty before the first, or where systemd does not tell (before 232). */
  invocation: string;
  /** A start or stop of it is still in the queue. */
  hasJob: boolean;
}

export type Called<T> = { ok: true; value: T } | { ok: false; message: string; isDenied: boolean };

export interface SystemdManager {
  /** @param job `RestartUnit` or `StopUnit`; systemd answers when the job is queued, not when it is done */
  queue(job: "RestartUnit" | "StopUnit", unit: string): Promise<Called<null>>;
  state(unit: string): Promise<Called<UnitState>>;
}

const NAME = "org.freedesktop.systemd1";
const PATH = "/org/freedesktop/systemd1";
const CALL_MS = 10_000;
const DENIED = /AccessDenied|InteractiveAuthorizationRequired|not permitted|authentication/i;

/**
 * One conversation, and the connection with it: an idle agent holds no bus.
 * @param address `unix:path=/run/dbus/system_bus_socket`, or a test's own bus
 */
export async function withSystemd<T>(
  address: string,
  signal: AbortSignal,
  talk: (manager: SystemdManager) => Promise<T>,
): Promise<T | { ok: false; message: string; isDenied: boolean }> {
  let bus: MessageBus;
  try {
    bus = createClient({ busAddress: address });
  } catch (error) {
    return { ok: false, message: `the bus at ${address} cannot be used: ${describe(error)}`, isDenied: false };
  }
  // Without a listener a refused connection would end the process.
  let broken: string | null = null;
  bus.connection.on("error", (error: unknown) => (broken = describe(error)));
  try {
    return await talk(managerOn(bus, signal, () => broken));
  } finally {
    void bus.connection.end();
  }
}

function managerOn(bus: MessageBus, signal: AbortSignal, broken: () => string | null): SystemdManager {
  const call = async <T>(path: string, method: string, signature: string, body: unknown[]): Promise<Called<T>> => {
    const [from = "", member = ""] = method.split(/\.(?=[^.]+$)/);
    try {
      const message = { destination: NAME, path, interface: from, member, signature, body, type: 1 };
      return { ok: true, value: await bus.invokeDbus<T>(message, { timeout: CALL_MS, signal }) };
    } catch (error) {
      signal.throwIfAborted();
      const said = named(error);
      const message = broken() ?? said;
      return { ok: false, message, isDenied: DENIED.test(said) };
    }
  };
  const properties = async (path: string, from: string): Promise<Called<(name: string) => unknown>> => {
    const got = await call<unknown>(path, "org.freedesktop.DBus.Properties.GetAll", "s", [from]);
    if (!got.ok) return got;
    const dictionary = dictionaryOf(got.value);
    return { ok: true, value: (name) => variantValue(dictionary.get(name)) };
  };

  return {
    async queue(job, unit) {
      // A start limit reached by a broken engine would refuse the very restart that brings the old one back. Its own
      // refusal says nothing: the unit may be unknown to systemd until it is started.
      await call(PATH, `${NAME}.Manager.ResetFailedUnit`, "s", [unit]);
      const done = await call(PATH, `${NAME}.Manager.${job}`, "ss", [unit, "replace"]);
      return done.ok ? { ok: true, value: null } : done;
    },
    async state(unit) {
      const found = await call<string>(PATH, `${NAME}.Manager.LoadUnit`, "s", [unit]);
      if (!found.ok) return found;
      const own = await properties(found.value, `${NAME}.Unit`);
      if (!own.ok) return own;
      const service = await properties(found.value, `${NAME}.Service`);
      const job: unknown = own.value("Job");
      return {
        ok: true,
        value: {
          activeState: text(own.value("ActiveState")),
          subState: text(own.value("SubState")),
          loadState: text(own.value("LoadState")),
          restarts: service.ok ? Number(service.value("NRestarts") ?? 0) : 0,
          invocation: bytes(own.value("InvocationID")),
          hasJob: Array.isArray(job) && Number(job[0]) !== 0,
        },
      };
    },
  };
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const bytes = (value: unknown): string =>
  value instanceof Uint8Array || Array.isArray(value) ? Buffer.from(value as Uint8Array).toString("hex") : "";

/** The library gives `a{sv}` as pairs, or as an object. */
function dictionaryOf(value: unknown): Map<string, unknown> {
  if (value instanceof Map) return value as Map<string, unknown>;
  if (Array.isArray(value)) return new Map(value as [string, unknown][]);
  return new Map(Object.entries((value ?? {}) as Record<string, unknown>));
}

/** The error's name on the bus says more than its text. */
function named(error: unknown): string {
  const name = error instanceof Error && "dbusName" in error ? String(error.dbusName) : "";
  return [name, describe(error)].filter((word) => word !== "" && word !== "undefined").join(": ");
}
