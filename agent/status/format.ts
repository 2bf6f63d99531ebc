// Times, durations and sizes as a person reads them, in the device's own time zone.

const DAY_MS = 24 * 3_600_000;
/** An instant before this was written by a clock that stood in 1970; nobody is told such a time. */
const EARLIEST = Date.UTC(2020, 0, 1);

/** "Tuesday 14:02"; with the date instead of the day when it is more than six days away from `now`. */
export function clockTime(at: string, now: number = Date.now()): string {
  const date = new Date(at);
  const isNear = Math.abs(now - date.getTime()) < 6 * DAY_MS;
  const day = new Intl.DateTimeFormat(
    "en-GB",
    isNear ? { weekday: "long" } : { day: "numeric", month: "long", year: "numeric" },
  );
  return `${day.format(date)} ${timeOfDay(at)}`;
}

/** "14:02" */
export function timeOfDay(at: string): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

/** "14:02:37", for steps that follow each other within a minute. */
export function exactTime(at: string): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(
    new Date(at),
  );
}

/** "Tuesday 14:02:37", for now. */
export function exactClockTime(at: string): string {
  const day = new Intl.DateTimeFormat("en-GB", { weekday: "long" }).format(new Date(at));
  return `${day} ${exactTime(at)}`;
}

/** False for times that only a clock without a battery can have written. */
export function isBelievable(at: string): boolean {
  return Date.parse(at) >= EARLIEST;
}

/** "Europe/Berlin", or "UTC". */
export function timeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** "3 days", "2 hours", "5 minutes", "40 seconds": the largest unit that says enough. @param ms milliseconds */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  for (const [unit, size] of UNITS) {
    const count = Math.floor(seconds / size);
    // "1 hour" for 119 minutes would mislead.
    if (count >= 2 || (count === 1 && seconds % size < size / 4)) return counted(count, unit);
  }
  return counted(seconds, "second");
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** "1 day", "48,213 answers" */
export function counted(count: number, unit: string): string {
  return `${new Intl.NumberFormat("en-GB").format(count)} ${unit}${count === 1 ? "" : "s"}`;
}

/** Decimal units, as disks and networks are sold. */
export function bytesWords(bytes: number): string {
  if (bytes < 1e3) return `${Math.round(bytes)} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Rounded down, so that 999 of 1000 is never told as 100 %. */
export function percentOf(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(100, Math.max(0, Math.floor((part / whole) * 100)));
}

/** Twelve digits: enough to tell two files apart by eye. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 12);
}

/** A message of the agent as a sentence of its own: with a capital and a full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  // "v2.1 runs" and "p95 was" begin with names, which stay as they are.
  const started = /^[a-z]+(?![\w.])/.test(trimmed) ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.!?…]$/.test(started) ? started : `${started}.`;
}
