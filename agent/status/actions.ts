// The actions over HTTP: PIN, lock, order, answer; a form is answered by a redirect, JSON by JSON with a stable code.
import { createHash, timingSafeEqual } from "node:crypto";
import type { ModelName, Trouble } from "@context-edge/protocol";
import { clockTime, counted, duration } from "./format.ts";
import type { Lockout } from "./lockout.ts";
import { type OrderName, type OrderOf, ORDERS } from "./orders.ts";
import type { StatusSource } from "./server.ts";

/** The agent's own `actions` satisfy it. */
export interface StatusActions {
  check(): void;
  /** Until now + hours. */
  hold(hours: number, reason: string): Promise<unknown>;
  release(): Promise<void>;
  /** @returns why not, or null when it has begun */
  rollback(model: ModelName): Promise<Trouble | null>;
}

export type Answer =
  | { ok: true; status: 200; message: string; next_step: string }
  | ({ ok: false; status: 400 | 403 | 404 | 409 | 429; retryAfterS?: number } & Trouble);

export interface Door {
  source: StatusSource;
  lockout: Lockout;
}

/** @param address of whoever asks; @param body as parsed from a form or from JSON */
export async function carryOut(door: Door, name: OrderName, body: unknown, address: string): Promise<Answer> {
  const closed = checkPin(door, body, address);
  if (closed) return closed;
  const order = ORDERS[name].safeParse(body);
  if (!order.success) {
    const issue = order.error.issues[0];
    const where = issue?.path.join(".") ?? "";
    return refused(
      400,
      "BAD_REQUEST",
      `${where}: ${issue?.message ?? "is not valid"}`,
      "Nothing was changed. Correct it and try again.",
    );
  }
  switch (name) {
    case "check":
      door.source.actions.check();
      return done("The hub is being asked now.", "What it answers stands on this page in a moment.");
    case "hold":
      return hold(door.source, order.data as OrderOf<"hold">);
    case "release":
      await door.source.actions.release();
      return done("The hold has ended.", "The device follows its hub again.");
    case "rollback":
      return rollback(door.source, order.data as OrderOf<"rollback">);
  }
}

/** @returns null when the PIN is right. */
function checkPin({ source, lockout }: Door, body: unknown, address: string): Answer | null {
  const { pin: right } = source;
  if (right === null) {
    return refused(
      403,
      "ACTIONS_DISABLED",
      "this page only shows",
      "Set AGENT_PIN_FILE, or use context-edge-agent on the device.",
    );
  }
  const lockedMs = lockout.lockedMs(address);
  if (lockedMs > 0) return lockedAnswer(lockedMs);
  const given = pinIn(body);
  if (given !== "" && isSame(given, right)) {
    lockout.right(address);
    return null;
  }
  // An empty field is no guess.
  if (given !== "") lockout.wrong(address);
  const nowLockedMs = lockout.lockedMs(address);
  if (nowLockedMs > 0) return lockedAnswer(nowLockedMs);
  return refused(
    403,
    "PIN_WRONG",
    given === "" ? "the PIN is missing" : "the PIN is wrong",
    "Nothing was changed. Ask whoever set this device up for its PIN.",
  );
}

function lockedAnswer(lockedMs: number): Answer {
  const message = `the PIN was wrong too often and is locked for ${duration(lockedMs)}`;
  return {
    ...refused(429, "PIN_LOCKED", message, "Wait, then try again. Nothing was changed."),
    retryAfterS: Math.ceil(lockedMs / 1_000),
  };
}

function pinIn(body: unknown): string {
  if (typeof body !== "object" || body === null || !("pin" in body)) return "";
  return typeof body.pin === "string" ? body.pin.trim() : "";
}

/** In constant time, and of equal length whatever was typed. */
function isSame(given: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}

async function hold(source: StatusSource, { hours, reason }: OrderOf<"hold">): Promise<Answer> {
  await source.actions.hold(hours, reason);
  const until = clockTime(new Date(source.now() + hours * 3_600_000).toISOString(), source.now());
  return done(
    `This device is on hold for ${counted(hours, "hour")}, until ${until}.`,
    "What runs goes on running. End the hold here when the work is done.",
  );
}

async function rollback(source: StatusSource, { model, from, to }: OrderOf<"rollback">): Promise<Answer> {
  const slots = (await source.document()).models[model];
  if (!slots)
    return refused(404, "MODEL_UNKNOWN", `this device has no model ${model}`, "Look at the status for its models.");
  const { current, backup } = slots;
  if (!current || !backup) {
    return refused(409, "NO_BACKUP", "there is no backup to go back to", "Ask an engineer to deploy another version.");
  }
  const isAsSeen = (from ?? current.digest) === current.digest && (to ?? backup.digest) === backup.digest;
  if (!isAsSeen) {
    return refused(
      409,
      "SLOTS_CHANGED",
      "the slots changed since you were asked",
      "Nothing was done. Look at the page again.",
    );
  }
  const trouble = await source.actions.rollback(model);
  if (trouble) return { ok: false, status: trouble.code === "MODEL_UNKNOWN" ? 404 : 409, ...trouble };
  return done(
    `Going back from ${current.version} to ${backup.version}.`,
    "The page shows how it goes. The inference service is restarted on the way.",
  );
}

function done(message: string, next_step: string): Answer {
  return { ok: true, status: 200, message, next_step };
}

function refused(
  status: 400 | 403 | 404 | 409 | 429,
  code: string,
  message: string,
  next_step: string,
): Extract<Answer, { ok: false }> {
  return { ok: false, status, code, message, next_step };
}
