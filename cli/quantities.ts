// Durations, sizes and shares as people write and read them.
import { InvalidArgumentError } from "commander";
import { wrongUse } from "./exits.ts";

/** For options that take a number. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It is a number.");
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90s`, `30m`, `2h`, `1h30m`, `7d`. @returns seconds */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
  const whole = parts.map(([part]) => part).join("");
  if (parts.length === 0 || whole !== text) {
    throw wrongUse(`"${text}" is no duration.`, "Write it like 90s, 30m, 2h, 1h30m or 7d.");
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_SECONDS[unit ?? ""] ?? 0), 0);
}

/** `90d`, `12h`. @returns days */
export function parseDays(text: string): number {
  const days = /^\d+(\.\d+)?[smhd]/.test(text) ? parseDuration(text) / 86_400 : 0;
  if (days > 0) return days;
  throw wrongUse(
    `"${text}" does not say how long.`,
    "Write it with a unit: 90d for ninety days, 12h for twelve hours.",
  );
}

type Amount = { share: number } | { count: number };

/** How large a wave is: somebody has to be in it. */
export function parseWave(text: string): Amount {
  const amount = parseAmount(text);
  const size = "share" in amount ? amount.share : amount.count;
  if (size > 0) return amount;
  throw wrongUse(`A wave of ${text} has nobody in it.`, "Write a share above 0%, or a count of 1 or more.");
}

/** `10%` → a share, `5` → a count. */
export function parseAmount(text: string): Amount {
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) <= 100) return { share: Number((Number(percent) / 100).toFixed(6)) };
  if (/^\d{1,7}$/.test(text)) return { count: Number(text) };
  throw wrongUse(`"${text}" is neither a share nor a count.`, "Write a share like 10%, or a count of devices like 5.");
}

const STEPS = [
  { below: 90, seconds: 1, unit: "s" },
  { below: 90 * 60, seconds: 60, unit: "min" },
  { below: 48 * 3_600, seconds: 3_600, unit: "h" },
  { below: Infinity, seconds: 86_400, unit: "d" },
];

/** `3 min ago`, `in 2 h`, `now`. */
export function relativeTime(at: string | null | undefined, nowMs: number): string {
  if (at === null || at === undefined) return "never";
  const seconds = (nowMs - Date.parse(at)) / 1_000;
  if (Number.isNaN(seconds)) return at;
  if (Math.abs(seconds) < 5) return "now";
  const words = durationWords(Math.abs(seconds));
  return seconds > 0 ? `${words} ago` : `in ${words}`;
}

export function durationWords(seconds: number): string {
  const step = STEPS.find(({ below }) => seconds < below);
  return step ? `${Math.round(seconds / step.seconds)} ${step.unit}` : `${seconds} s`;
}

const SIZES = ["B", "kB", "MB", "GB", "TB"];

export function sizeWords(bytes: number): string {
  const power = bytes < 1_000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), SIZES.length - 1);
  const value = bytes / 1_000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${SIZES[power]}`;
}

/** Cut, never rounded up: 99.97 % is not yet 100 %. */
export function percentWords(fraction: number): string {
  return `${(Math.floor(fraction * 1_000) / 10).toFixed(1)} %`;
}
