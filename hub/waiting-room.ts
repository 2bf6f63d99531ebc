// Held polls: found by group and by device, ended by news or by time, and never more of them in one go than the loop can bear.
import { setImmediate as breathe } from "node:timers/promises";

export interface Waiter {
  readonly deviceId: string;
  readonly group: string;
  /** Called once, when the wait is over; never after `leave`. */
  readonly wake: () => void;
}

export interface WaitingRoom {
  /** @returns a function that takes the waiter out again, for one that hung up. */
  enter(waiter: Waiter, waitMs: number): () => void;
  /** In slices. Resolves when the last one was told. */
  wakeGroup(group: string): Promise<void>;
  /** @param isMeant leaves the others waiting. */
  wakeDevice(deviceId: string, isMeant?: (waiter: Waiter) => boolean): void;
  /** Resolves at the next turn of the loop at which nobody is being woken: for work that can wait. */
  quiet(): Promise<void>;
  held(): number;
  close(): void;
}

/** A slice of wake-ups ends after this long, so that nothing else waits longer for its turn. */
const SLICE_MS = 4;
/** Polls end at the strokes of one clock: a timer for each would cost more memory and tell no more. */
const STROKE_MS = 250;
/** A wait ends somewhere in its last fifth, so that devices that began together do not come back together. */
const LEAST_SHARE = 0.8;

interface Seat {
  waiter: Waiter;
  stroke: number;
}

export function openWaitingRoom(random: () => number = Math.random): WaitingRoom {
  const byGroup = new Map<string, Set<Seat>>();
  /** Nearly always one each. */
  const byDevice = new Map<string, readonly Seat[]>();
  const byStroke = new Map<number, Set<Seat>>();
  let stroke = 0;
  let clock: NodeJS.Timeout | undefined;
  let held = 0;
  let waking = 0;
  let quiet = Promise.withResolvers<void>();

  /** @returns whether it was still waiting. */
  const leave = (seat: Seat): boolean => {
    if (!takeOut(byGroup, seat.waiter.group, seat)) return false;
    const { deviceId } = seat.waiter;
    const others = byDevice.get(deviceId)?.filter((other) => other !== seat) ?? [];
    if (others.length > 0) byDevice.set(deviceId, others);
    else byDevice.delete(deviceId);
    takeOut(byStroke, seat.stroke, seat);
    held -= 1;
    if (held === 0) {
      clearInterval(clock);
      clock = undefined;
    }
    return true;
  };
  const wake = (seat: Seat) => {
    if (leave(seat)) seat.waiter.wake();
  };
  const onStroke = () => {
    stroke += 1;
    const due = byStroke.get(stroke);
    if (due) for (const seat of due) wake(seat);
  };

  return {
    enter(waiter, waitMs) {
      const jittered = waitMs * (LEAST_SHARE + (1 - LEAST_SHARE) * random());
      const seat = { waiter, stroke: stroke + Math.max(1, Math.round(jittered / STROKE_MS)) };
      putIn(byGroup, waiter.group, seat);
      byDevice.set(waiter.deviceId, [...(byDevice.get(waiter.deviceId) ?? []), seat]);
      putIn(byStroke, seat.stroke, seat);
      held += 1;
      clock ??= setInterval(onStroke, STROKE_MS).unref();
      return () => void leave(seat);
    },
    async wakeGroup(group) {
      const seats = [...(byGroup.get(group) ?? [])];
      waking += 1;
      for (let next = 0; next < seats.length;) {
        const untilMs = performance.now() + SLICE_MS;
        for (let seat = seats[next]; seat && performance.now() < untilMs; seat = seats[next]) {
          wake(seat);
          next += 1;
        }
        if (next < seats.length) await breathe();
      }
      waking -= 1;
      if (waking > 0) return;
      quiet.resolve();
      quiet = Promise.withResolvers();
    },
    wakeDevice(deviceId, isMeant = () => true) {
      for (const seat of byDevice.get(deviceId) ?? []) if (isMeant(seat.waiter)) wake(seat);
    },
    async quiet() {
      await breathe();
      if (waking > 0) await quiet.promise;
    },
    held: () => held,
    close: () => clearInterval(clock),
  };
}

function putIn<K>(index: Map<K, Set<Seat>>, key: K, seat: Seat): void {
  const seats = index.get(key);
  if (seats) seats.add(seat);
  else index.set(key, new Set([seat]));
}

function takeOut<K>(index: Map<K, Set<Seat>>, key: K, seat: Seat): boolean {
  const seats = index.get(key);
  if (!seats?.delete(seat)) return false;
  if (seats.size === 0) index.delete(key);
  return true;
}
