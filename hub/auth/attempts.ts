// Guessing is slowed down: failures are counted per name and per address, and too many are answered with 429 and a time.
import { isIPv6 } from "node:net";
import { ProblemError } from "../problem-error.ts";

const WINDOW_MS = 15 * 60_000;
/** More than these at once are forgotten, oldest first: memory has a bound. */
const MAX_KEYS = 20_000;

export interface Attempts {
  /** Where nothing has to be waited for: look, then tell if it was a guess. @throws TOO_MANY_ATTEMPTS */
  refuse(key: string): void;
  failed(key: string): void;
  /** Counts before the secret is looked at, so that many guesses at once count as many. @throws TOO_MANY_ATTEMPTS */
  begin(key: string): void;
  /** It was no guess. */
  succeeded(key: string): void;
}

/** @param limit failures of one key within 15 minutes. */
export function countAttempts(limit: number, now: () => number): Attempts {
  const counts = new Map<string, { count: number; endsMs: number }>();
  const refuse = (key: string) => {
    const found = counts.get(key);
    if (found && found.endsMs > now() && found.count >= limit)
      throw tooManyAttempts(Math.ceil((found.endsMs - now()) / 1_000));
  };
  const failed = (key: string) => {
    const found = counts.get(key);
    const entry = found && found.endsMs > now() ? found : { count: 0, endsMs: now() + WINDOW_MS };
    entry.count += 1;
    if (entry === found) return;
    counts.delete(key);
    counts.set(key, entry);
    const [oldest] = counts.keys();
    if (counts.size > MAX_KEYS && oldest !== undefined) counts.delete(oldest);
  };
  return {
    refuse,
    failed,
    begin(key) {
      refuse(key);
      failed(key);
    },
    succeeded(key) {
      const entry = counts.get(key);
      if (entry) entry.count -= 1;
    },
  };
}

export function tooManyAttempts(seconds: number): ProblemError {
  return new ProblemError("TOO_MANY_ATTEMPTS", "There were too many attempts that failed.", {
    nextStep: `Wait ${seconds} s, then try again.`,
    context: { retry_after_seconds: seconds },
  });
}

/** One customer's network is one address: of IPv6 the first 64 bits. */
export function addressKey(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = ip.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const full = [...left, ...Array.from({ length: gap }, () => "0"), ...right];
  return `${full
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, "").toLowerCase())
    .join(":")}::/64`;
}
